// Elementwise operators on blocked images: where all operands have one shape, the memory order does not matter.

import { elementCount, float, floats, isStatic, tensorNumbers } from "@dovetail/graph";
import { type Activation, closeConvolution } from "../forms.js";
import type { LoweringContext, LoweringRule } from "../rule.js";
import { identityConvolution } from "./identity.js";

/** Operators with f(0) = 0 in one operand, which keep the filling of blocks at zero. */
const unary: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  const [x] = node.inputs as [string];
  if (!forms.imageShape(x) || !forms.isBlocked(x)) return false;
  forms.setBlocked(node.outputs[0]!, emitter.op(node.operator, [forms.blocked(x)], node.attributes));
  return true;
};

/** An activation joins the convolution before it where nothing else uses the sum before the activation. */
const activation =
  (of: (context: LoweringContext) => Activation | undefined): LoweringRule =>
  (context) => {
    const { node, emitter, forms } = context;
    const x = node.inputs[0]!;
    const kind = of(context);
    if (!kind || !forms.imageShape(x) || !forms.isBlocked(x)) return false;
    const open = forms.usesLeft(x) === 1 ? forms.open(x) : undefined;
    if (open) {
      forms.setBlocked(node.outputs[0]!, closeConvolution(emitter, open, kind));
      return true;
    }
    forms.setBlocked(node.outputs[0]!, emitter.op(node.operator, operands(context), node.attributes));
    return true;
  };

const operands = ({ node, forms }: LoweringContext): readonly string[] =>
  node.inputs.map((name, index) => (name === "" ? "" : index === 0 ? forms.blocked(name) : forms.plain(name)));

/** A scalar constant among the inputs; `absent` where the input is left out, undefined where it is not constant. */
function constantInput({ node, graph }: LoweringContext, index: number, absent: number): number | undefined {
  const name = node.inputs[index] ?? "";
  if (name === "") return absent;
  const constant = graph.initializers.get(name);
  return constant?.data === undefined ? undefined : tensorNumbers(constant)[0];
}

const largestFloat = 3.4028234663852886e38;

/** Clip joins where its bounds are constants with 0 between them: the filling of blocks stays zero. */
function clipActivation(context: LoweringContext): Activation | undefined {
  const low = constantInput(context, 1, -largestFloat);
  const high = constantInput(context, 2, largestFloat);
  if (low === undefined || high === undefined || low > 0 || high < 0) return undefined;
  return { activation: "Clip", activation_params: floats([low, high]) };
}

/** Two operands of one shape, of which at least one is blocked. */
const binary: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  if (!haveOneShape(context)) return false;
  const [a, b] = node.inputs as [string, string];
  forms.setBlocked(node.outputs[0]!, emitter.op(node.operator, [forms.blocked(a), forms.blocked(b)]));
  return true;
};

function haveOneShape({ node, graph, forms }: LoweringContext): boolean {
  const [a, b] = node.inputs as [string, string];
  if (!forms.imageShape(a) || !forms.imageShape(b)) return false;
  const [left, right] = [a, b].map((name) => graph.types.get(name)!.shape!.join(","));
  return left === right && (forms.isBlocked(a) || forms.isBlocked(b));
}

/** A sum joins a convolution that nothing else uses; sums of planes are sums plane by plane. */
const add: LoweringRule = (context) => {
  const { node, emitter, forms } = context;
  if (!haveOneShape(context)) return false;
  const [a, b] = node.inputs as [string, string];
  const output = node.outputs[0]!;
  const left = forms.planes(a);
  const right = forms.planes(b);
  if (left && right && left.stride === right.stride) {
    const planes = left.planes.map((plane, index) => {
      const other = right.planes[index];
      return plane === undefined || other === undefined ? (plane ?? other) : emitter.op("Add", [plane, other]);
    });
    forms.setPlanes(output, { stride: left.stride, planes });
    return true;
  }
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const open = forms.usesLeft(one) === 1 ? forms.open(one) : undefined;
    if (!open || open.sum !== undefined || forms.usesLeft(other) !== 1) continue;
    forms.setOpen(output, { ...open, sum: forms.blocked(other) });
    return true;
  }
  // The sum is written over in place only if nothing needs it later: then the other operand takes the kernel's input.
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    if (forms.usesLeft(one) !== 1 || one === other) continue;
    forms.setOpen(output, {
      ...identityConvolution(context, forms.blocked(other), forms.imageShape(other)!),
      sum: forms.blocked(one),
    });
    return true;
  }
  return binary(context);
};

/**
 * 1 where sign · (y − bound) is positive, else 0, in one pass where Greater and Where cost four: HardSigmoid with so
 * steep a slope that the smallest positive difference is 1 or more. Multiplying by a power of two is exact.
 */
function stepMask({ emitter }: LoweringContext, y: string, bound: number, sign: 1 | -1): string {
  const slope = sign * 2 ** (bound === 0 ? 126 : 100);
  return emitter.op("HardSigmoid", [y], { alpha: float(slope), beta: float(-slope * bound) });
}

/** Bounds for which the slope of `stepMask` neither overflows nor falls short. */
const hasStep = (bound: number): boolean => bound === 0 || (Math.abs(bound) < 2 ** 27 && Math.abs(bound) > 2 ** -70);

/** dY times masks of Y. */
function maskedGradient(context: LoweringContext, masks: (y: string) => readonly string[]): void {
  const { node, emitter, forms } = context;
  const [outputGradient, y] = node.inputs as [string, string];
  const blocked = haveOneShape(context);
  const form = blocked ? forms.blocked : forms.plain;
  // The mask goes first: the product is written over it, which is faster than over the gradient.
  const result = masks(form(y)).reduce((gradient, mask) => emitter.op("Mul", [mask, gradient]), form(outputGradient));
  if (blocked) forms.setBlocked(node.outputs[0]!, result);
  else forms.setPlain(node.outputs[0]!, result);
}

const reluGradient: LoweringRule = (context) => {
  maskedGradient(context, (y) => [stepMask(context, y, 0, 1)]);
  return true;
};

const clipGradient: LoweringRule = (context) => {
  const low = constantInput(context, 2, Number.NEGATIVE_INFINITY);
  const high = constantInput(context, 3, Number.POSITIVE_INFINITY);
  if (low === undefined || high === undefined) return false;
  if (low === 0 && haveOneShape(context) && isExactTent(high)) {
    maskedGradient(context, (y) => [tentMask(context, y, high)]);
    return true;
  }
  const steps = [
    { bound: low, sign: 1 as const },
    { bound: high, sign: -1 as const },
  ].filter(({ bound }) => Number.isFinite(bound));
  if (!steps.every(({ bound }) => hasStep(bound))) return false;
  maskedGradient(context, (y) => steps.map(({ bound, sign }) => stepMask(context, y, bound, sign)));
  return true;
};

/** Where the tent's foot on the left is, as a share of its width, and the slope there. */
const tentFoot = 2 ** -22;
const tentSlope = 1 / tentFoot - 1;

/** True where the heights of both feet are the same number. */
const isExactTent = (high: number): boolean =>
  high > 2 ** -20 && high < 2 ** 20 && Math.fround(high * (1 - tentFoot)) === high * (1 - tentFoot);

/**
 * 1 where 0 < y < high, else 0, for y in [0, high], with one mask instead of two: with p = high · 2⁻²², |y − p| falls
 * with slope 2²² − 1 down to y = p and rises with slope 1 from there, so it is high − p at both ends and less between. (Values of
 * y below high · 2⁻⁴⁵ may count as 0.)
 */
function tentMask(context: LoweringContext, y: string, high: number): string {
  const { emitter, forms, node } = context;
  const shape = forms.imageShape(node.inputs[1]!)!;
  const { inputs, attributes } = identityConvolution(context, y, shape);
  const foot = high * tentFoot;
  const shift = emitter.floats([shape.paddedChannels], new Array<number>(shape.paddedChannels).fill(-foot));
  const tent = emitter.blockedOp("Conv", [inputs[0], inputs[1], shift], {
    ...attributes,
    activation: "LeakyRelu",
    activation_params: floats([-tentSlope]),
  });
  return stepMask(context, tent, high - foot, -1);
}

/** Operators with a scalar operand. */
const withScalar =
  (rule: LoweringRule): LoweringRule =>
  (context) =>
    rule(context) || flattened(context);

/**
 * A scalar times [O, I, 1, 1]: ONNX Runtime broadcasts along the last axis only, one value at a time where that has one,
 * so the tensor is seen as a vector.
 */
function flattened({ node, graph, emitter, forms }: LoweringContext): boolean {
  const shapes = node.inputs.map((name) => graph.types.get(name)?.shape);
  const scalar = shapes.findIndex((shape) => shape?.every((size) => size === 1));
  const shape = shapes[1 - scalar];
  if (scalar === -1 || !isStatic(shape) || shape.length < 2 || shape.at(-1) !== 1) return false;
  if (elementCount(shape) === 1 || shapes[scalar]!.length > shape.length) return false;
  const operands = node.inputs.map((name, index) => emitter.reshape(forms.plain(name), [index === scalar ? 1 : -1]));
  forms.setPlain(node.outputs[0]!, emitter.reshape(emitter.op(node.operator, operands), shape));
  return true;
}

export const elementwiseRules = {
  Relu: activation(() => ({ activation: "Relu" })),
  Clip: activation(clipActivation),
  Neg: unary,
  Abs: unary,
  Identity: unary,
  Add: withScalar(add),
  Sub: withScalar(binary),
  Mul: withScalar(binary),
  Div: withScalar(() => false),
  "ai.dovetail.ReluGradient": reluGradient,
  "ai.dovetail.ClipGradient": clipGradient,
} as const;
