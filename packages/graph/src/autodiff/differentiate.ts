import { DovetailError, inputError } from "@dovetail/core";
import { GraphBuilder } from "../builder/builder.js";
import { elementTypes } from "../ir/element-type.js";
import { defaultOpset, type Graph, type Value } from "../ir/graph.js";
import { gradientContext, operatorKey } from "./gradient-context.js";
import { gradientTable } from "./gradient-table.js";
import { describeOperation, type Operation, operationsBefore, pathToLoss } from "./operations.js";
import type { GradientContext } from "./rule.js";
import { filledLike, zerosLike } from "./shapes.js";

/** What to differentiate. */
export interface DifferentiateOptions {
  /** The value whose gradient is taken: of any shape; without `lossGradient`, its entries' sum. */
  readonly loss: Value;
  /** Values, inputs, constants or intermediate ones, of floating-point type. */
  readonly withRespectTo: readonly Value[];
  /** Gradient that arrives at `loss` (same shape), ones by default. */
  readonly lossGradient?: Value | undefined;
}

/**
 * Reverse-mode automatic differentiation: adds the nodes that compute the gradient of `loss` with respect to each of
 * `withRespectTo` to the graph, and returns these gradients, each of its value's type and shape (zeros where the loss
 * does not depend on it).
 *
 * One rule per operator (`gradientTable`); regions made by `customGradient`, `stopGradient` and `straightThrough` are
 * one operation each; integers and booleans carry no gradient. Only what lies between `withRespectTo` and `loss` is
 * differentiated. The result can be differentiated again where its operators have rules.
 *
 * Throws an input error when an operator on the way has no rule (it names the node, the operator and the path to the
 * loss), when a value is not of floating-point type, or when the graph's operator set is older than 18.
 */
export function differentiate(g: GraphBuilder, options: DifferentiateOptions): readonly Value[] {
  const { loss, withRespectTo } = options;
  if (g.opset < defaultOpset) {
    throw inputError("opset", `graph "${g.name}": gradients are written in operator set ${defaultOpset}`, {
      received: `operator set ${g.opset}`,
    });
  }
  for (const value of [loss, ...withRespectTo]) requireFloat(value);
  return g.scope("gradient", () => {
    const lossGradient = options.lossGradient ?? filledLike(g, loss, 1);
    const gradients = backpropagate(g, [{ value: loss, gradient: lossGradient }], withRespectTo);
    return withRespectTo.map((value, index) => gradients[index] ?? zerosLike(g, value));
  });
}

/** A value and the gradient that arrives at it. */
interface Seed {
  readonly value: Value;
  readonly gradient: Value;
}

/** Gradients to the sources from those at the seeds; undefined where no seed depends on a source. */
function backpropagate(
  g: GraphBuilder,
  seeds: readonly Seed[],
  sources: readonly Value[],
): readonly (Value | undefined)[] {
  const names = seeds.map(({ value }) => value.name);
  const operations = operationsBefore(g.snapshot(), names);
  const dependent = dependentValues(
    g,
    operations,
    sources.map(({ name }) => name),
  );
  const gradients = new Gradients(g);
  for (const { value, gradient } of seeds) if (dependent.has(value.name)) gradients.add(value, gradient);
  for (const operation of operations.toReversed()) {
    if (operation.inputs.some((name) => dependent.has(name))) {
      propagate(g, operation, operations, gradients, dependent);
    }
  }
  return sources.map(({ name }) => gradients.of(name));
}

/** `GradientContext.through`: differentiates what `forward` adds, from copies of the inputs that need a gradient. */
function differentiateThrough(
  g: GraphBuilder,
  context: Omit<GradientContext, "through">,
  forward: Parameters<GradientContext["through"]>[0],
): readonly (Value | undefined)[] {
  const copies = context.inputs.map((input, index) => (input && context.needed[index] ? g.identity(input) : input));
  const outputs = forward(copies);
  const seeds = context.outputGradients.flatMap((gradient, index): Seed[] =>
    gradient ? [{ value: outputs[index]!, gradient }] : [],
  );
  const sources = copies.flatMap((copy, index) => (copy && context.needed[index] ? [copy] : []));
  const gradients = backpropagate(g, seeds, sources).values();
  return context.needed.map((isNeeded) => (isNeeded ? gradients.next().value : undefined));
}

/**
 * A finished graph with the gradients of one of its values as further outputs, named `gradient/<value>`.
 * `loss` and `withRespectTo` are names of values.
 */
export function withGradients(
  graph: Graph,
  options: { readonly loss: string; readonly withRespectTo: readonly string[] },
): Graph {
  const g = GraphBuilder.from(graph);
  const withRespectTo = options.withRespectTo.map((name) => g.value(name));
  const gradients = differentiate(g, { loss: g.value(options.loss), withRespectTo });
  gradients.forEach((gradient, index) => {
    g.output(gradient, `gradient/${options.withRespectTo[index]}`);
  });
  return g.build();
}

function requireFloat({ name, type }: Value): void {
  if (elementTypes[type.elementType].isFloat) return;
  throw inputError("not_differentiable", `value "${name}" has no gradient`, {
    expected: "a floating-point type",
    received: type.elementType,
  });
}

/** Names of the values that depend on one of `sources` by a path that carries gradients. */
function dependentValues(
  g: GraphBuilder,
  operations: readonly Operation[],
  sources: readonly string[],
): ReadonlySet<string> {
  const dependent = new Set(sources);
  for (const operation of operations) {
    if (!operation.inputs.some((name) => dependent.has(name))) continue;
    for (const output of operation.outputs) {
      if (elementTypes[g.value(output).type.elementType].isFloat) dependent.add(output);
    }
  }
  return dependent;
}

/** Gradients that have arrived at each value so far. */
class Gradients {
  private readonly arrived = new Map<string, Value>();

  constructor(private readonly g: GraphBuilder) {}

  add(value: Value, gradient: Value): void {
    const known = this.arrived.get(value.name);
    this.arrived.set(value.name, known ? this.sum(value, known, gradient) : gradient);
  }

  of(name: string): Value | undefined {
    return this.arrived.get(name);
  }

  private sum({ type }: Value, a: Value, b: Value): Value {
    const sum = this.g.add(a, b);
    return type.shape ? this.g.refineShape(sum, type.shape) : sum;
  }
}

/** Runs one operation's rule and hands its results on to the operation's inputs. */
function propagate(
  g: GraphBuilder,
  operation: Operation,
  operations: readonly Operation[],
  gradients: Gradients,
  dependent: ReadonlySet<string>,
): void {
  const own = new Set(operation.outputs);
  const outputGradient = (name: string): Value | undefined => (own.has(name) ? gradients.of(name) : undefined);
  if (!operation.outputs.some(outputGradient)) return;
  const results = runRule(g, operation, operations, outputGradient, dependent);
  const inputs = operation.node?.inputs ?? operation.inputs;
  inputs.forEach((name, index) => {
    const result = results[index];
    if (!result || !dependent.has(name)) return;
    gradients.add(g.value(name), checked(g, operation, g.value(name), result));
  });
}

function runRule(
  g: GraphBuilder,
  operation: Operation,
  operations: readonly Operation[],
  outputGradient: (name: string) => Value | undefined,
  dependent: ReadonlySet<string>,
): readonly (Value | undefined)[] {
  const { node, region } = operation;
  if (region) {
    return g.scope(region.name, () =>
      region.backward(region.outputs.map(outputGradient), {
        g,
        inputs: region.inputs.map((name) => g.value(name)),
        outputs: region.outputs.map((name) => g.value(name)),
      }),
    );
  }
  const rule = gradientTable[operatorKey(node)];
  if (!rule) {
    throw inputError("no_gradient_rule", `${describeOperation(operation)}: this operator has no gradient rule`, {
      received: `a gradient by the path ${pathToLoss(operation, operations)}`,
      hint: "give it a gradient with customGradient, or end the path with stopGradient",
    });
  }
  return g.scope(node.name, () => {
    const context = gradientContext(g, node, outputGradient, dependent);
    return rule({ ...context, through: (forward) => differentiateThrough(g, context, forward) });
  });
}

/** A result in the type and shape of the value that it is the gradient of. */
function checked(g: GraphBuilder, operation: Operation, value: Value, gradient: Value): Value {
  const expected = value.type.elementType;
  if (gradient.type.elementType !== expected) {
    throw inputError("gradient_type", `${describeOperation(operation)}: gradient of "${value.name}"`, {
      expected,
      received: gradient.type.elementType,
    });
  }
  if (!value.type.shape) return gradient;
  try {
    return g.refineShape(gradient, value.type.shape);
  } catch (cause) {
    if (!(cause instanceof DovetailError)) throw cause;
    const { expected: shape, received } = cause.diagnostics[0]!;
    throw inputError("gradient_shape", `${describeOperation(operation)}: gradient of "${value.name}"`, {
      expected: `shape ${shape}`,
      received: `${received}`,
    });
  }
}
