import type { ElementType, TensorData } from "../../ir/element-type.js";
import { elementTypeOfOnnxCode } from "../../ir/element-type.js";
import { roundHalfToEven } from "../../ir/rounding.js";
import {
  allocate,
  broadcastDimensions,
  broadcastStrides,
  countOf,
  type Evaluation,
  type EvaluationContext,
  larger,
  type NumericTensor,
  pick,
  smaller,
} from "./evaluation.js";

type Numbers = (...operands: number[]) => number;
type Bigints = (...operands: bigint[]) => bigint | boolean | undefined;

/** An operator on numbers, and on 64-bit integers where it has them; `undefined` gives up (division by zero). */
interface Scalar {
  readonly numbers: (elementType: ElementType) => Numbers | undefined;
  readonly bigints?: Bigints | undefined;
  readonly result?: ElementType | undefined;
}

const always = (numbers: Numbers) => (): Numbers => numbers;

const isFloat = (elementType: ElementType): boolean => elementType === "float32" || elementType === "float64";

const onFloats =
  (numbers: Numbers) =>
  (elementType: ElementType): Numbers | undefined =>
    isFloat(elementType) ? numbers : undefined;

/** NaN in an integer result, where it cannot stand, means that there is no value: evaluation gives up. */
const divide = (elementType: ElementType): Numbers =>
  isFloat(elementType) ? (a, b) => a! / b! : (a, b) => (b === 0 ? Number.NaN : Math.trunc(a! / b!));

const multiply = (elementType: ElementType): Numbers =>
  elementType === "int32" || elementType === "uint32" ? (a, b) => Math.imul(a!, b!) : (a, b) => a! * b!;

const scalars: Readonly<Record<string, Scalar>> = {
  Add: { numbers: always((a, b) => a! + b!), bigints: (a, b) => a! + b! },
  Sub: { numbers: always((a, b) => a! - b!), bigints: (a, b) => a! - b! },
  Mul: { numbers: multiply, bigints: (a, b) => a! * b! },
  Div: { numbers: divide, bigints: (a, b) => (b === 0n ? undefined : a! / b!) },
  Pow: { numbers: onFloats((a, b) => a! ** b!) },
  Neg: { numbers: always((a) => -a!), bigints: (a) => -a! },
  Abs: { numbers: always((a) => Math.abs(a!)), bigints: (a) => (a! < 0n ? -a! : a!) },
  Sign: { numbers: always((a) => Math.sign(a!) + 0), bigints: (a) => (a! > 0n ? 1n : a! < 0n ? -1n : 0n) },
  Exp: { numbers: onFloats((a) => Math.exp(a!)) },
  Log: { numbers: onFloats((a) => Math.log(a!)) },
  Sqrt: { numbers: onFloats((a) => Math.sqrt(a!)) },
  Reciprocal: { numbers: onFloats((a) => 1 / a!) },
  Floor: { numbers: onFloats((a) => Math.floor(a!)) },
  Ceil: { numbers: onFloats((a) => Math.ceil(a!)) },
  Round: { numbers: onFloats((a) => roundHalfToEven(a!)) },
  Relu: { numbers: always((a) => (a! >= 0 || Number.isNaN(a) ? a! : 0)), bigints: (a) => (a! < 0n ? 0n : a!) },
  Sigmoid: { numbers: onFloats((a) => 1 / (1 + Math.exp(-a!))) },
  Tanh: { numbers: onFloats((a) => Math.tanh(a!)) },
  Min: { numbers: always(Math.min), bigints: (...all) => all.reduce(smaller) },
  Max: { numbers: always(Math.max), bigints: (...all) => all.reduce(larger) },
  Sum: { numbers: onFloats((...all) => all.reduce((a, b) => a + b)) },
  Equal: { numbers: always((a, b) => Number(a === b)), bigints: (a, b) => a === b, result: "bool" },
  Greater: { numbers: always((a, b) => Number(a! > b!)), bigints: (a, b) => a! > b!, result: "bool" },
  GreaterOrEqual: { numbers: always((a, b) => Number(a! >= b!)), bigints: (a, b) => a! >= b!, result: "bool" },
  Less: { numbers: always((a, b) => Number(a! < b!)), bigints: (a, b) => a! < b!, result: "bool" },
  LessOrEqual: { numbers: always((a, b) => Number(a! <= b!)), bigints: (a, b) => a! <= b!, result: "bool" },
  Not: { numbers: always((a) => Number(a === 0)), result: "bool" },
  And: { numbers: always((a, b) => Number(a !== 0 && b !== 0)), result: "bool" },
  Or: { numbers: always((a, b) => Number(a !== 0 || b !== 0)), result: "bool" },
  Xor: { numbers: always((a, b) => Number((a !== 0) !== (b !== 0))), result: "bool" },
};

/** Operators that work element by element, with broadcasting. */
export const elementwiseEvaluations: Readonly<Record<string, Evaluation>> = {
  ...Object.fromEntries(
    Object.entries(scalars).map(([operator, rule]): [string, Evaluation] => [
      operator,
      (context) => elementwise(rule, context.inputs, context),
    ]),
  ),
  Clip: clip,
  Mod: modulo,
  Where: where,
  Cast: cast,
};

/** Clip's bounds may be absent. */
function clip(context: EvaluationContext): readonly NumericTensor[] | undefined {
  const [value, low, high] = context.inputs;
  const raised = low ? elementwise(scalars.Max!, [value, low], context)?.[0] : value;
  const result = high ? elementwise(scalars.Min!, [raised, high], context)?.[0] : raised;
  return result && [result];
}

function elementwise(
  scalar: Scalar,
  inputs: readonly (NumericTensor | undefined)[],
  context: EvaluationContext,
): readonly NumericTensor[] | undefined {
  const aligned = align(inputs, context);
  if (!aligned) return undefined;
  const { operands, dimensions } = aligned;
  const elementType = operands[0]!.elementType;
  if (operands.some((operand) => operand.elementType !== elementType)) return undefined;
  const result = scalar.result ?? elementType;
  const data = allocate(result, countOf(dimensions));
  const done =
    elementType === "int64" || elementType === "uint64"
      ? computeBigints(scalar.bigints, operands, data)
      : computeNumbers(scalar.numbers(elementType), operands, data, !isFloat(result));
  return done ? [{ elementType: result, dimensions, data }] : undefined;
}

function computeNumbers(
  compute: Numbers | undefined,
  operands: readonly NumericTensor[],
  data: TensorData,
  isInteger: boolean,
): boolean {
  if (!compute) return false;
  const values = new Array<number>(operands.length);
  for (let index = 0; index < data.length; index++) {
    for (let operand = 0; operand < operands.length; operand++)
      values[operand] = operands[operand]!.data[index] as number;
    const result = compute(...values);
    if (isInteger && Number.isNaN(result)) return false;
    data[index] = result;
  }
  return true;
}

function computeBigints(compute: Bigints | undefined, operands: readonly NumericTensor[], data: TensorData): boolean {
  if (!compute) return false;
  const values = new Array<bigint>(operands.length);
  for (let index = 0; index < data.length; index++) {
    for (let operand = 0; operand < operands.length; operand++)
      values[operand] = operands[operand]!.data[index] as bigint;
    const result = compute(...values);
    if (result === undefined) return false;
    data[index] = typeof result === "boolean" ? Number(result) : result;
  }
  return true;
}

/** The inputs broadcast to one shape; undefined when one is absent, they do not fit, or the result is too large. */
function align(
  inputs: readonly (NumericTensor | undefined)[],
  context: EvaluationContext,
): { operands: NumericTensor[]; dimensions: number[] } | undefined {
  if (inputs.length === 0 || inputs.some((input) => input === undefined)) return undefined;
  const present = inputs as readonly NumericTensor[];
  const dimensions = broadcastDimensions(present.map((input) => input.dimensions));
  if (!dimensions || countOf(dimensions) > context.maximumElements) return undefined;
  const operands = present.map((input) => pick(input, dimensions, broadcastStrides(input.dimensions, dimensions)!));
  return { operands, dimensions };
}

/** Remainder with the divisor's sign, or with the dividend's where `fmod` is set. */
function modulo(context: EvaluationContext): readonly NumericTensor[] | undefined {
  const keepsDividendSign = context.node.attributes.fmod?.value === 1;
  const scalar: Scalar = keepsDividendSign
    ? { numbers: always((a, b) => a! % b!), bigints: (a, b) => (b === 0n ? undefined : a! % b!) }
    : {
        numbers: always((a, b) => a! - b! * Math.floor(a! / b!)),
        bigints: (a, b) => (b === 0n ? undefined : ((a! % b!) + b!) % b!),
      };
  return elementwise(scalar, context.inputs, context);
}

function where(context: EvaluationContext): readonly NumericTensor[] | undefined {
  const aligned = align(context.inputs, context);
  const [condition, yes, no] = aligned?.operands ?? [];
  if (!condition || !yes || !no || yes.elementType !== no.elementType) return undefined;
  const data = allocate(yes.elementType, yes.data.length);
  for (let index = 0; index < data.length; index++) data[index] = (condition.data[index] ? yes : no).data[index]!;
  return [{ elementType: yes.elementType, dimensions: yes.dimensions, data }];
}

/** Between numbers; a float that does not fit the integer type has no defined value, and is left to the runtime. */
function cast({ node, inputs }: EvaluationContext): readonly NumericTensor[] | undefined {
  const input = inputs[0];
  const to = node.attributes.to?.kind === "int" ? elementTypeOfOnnxCode(node.attributes.to.value) : undefined;
  if (!input || !to || !castable.has(to)) return undefined;
  const data = allocate(to, input.data.length);
  for (let index = 0; index < data.length; index++) {
    const value = castValue(input.data[index]!, to);
    if (value === undefined) return undefined;
    data[index] = value;
  }
  return [{ elementType: to, dimensions: input.dimensions, data }];
}

const castable: ReadonlySet<ElementType> = new Set<ElementType>([
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
]);

function castValue(value: number | bigint | string, to: ElementType): number | bigint | undefined {
  if (typeof value === "string") return undefined;
  if (to === "bool") return Number(value) === 0 ? 0 : 1;
  if (isFloat(to)) return Number(value);
  if (typeof value === "bigint") return to === "int64" || to === "uint64" ? value : Number(BigInt.asIntN(32, value));
  const whole = Math.trunc(value);
  if (!(Math.abs(whole) < 2 ** 31)) return undefined;
  return to === "int64" || to === "uint64" ? BigInt(whole) : whole;
}
