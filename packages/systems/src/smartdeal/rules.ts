// How coefficients and bases change in a step.

import type { GraphBuilder, Value } from "@dovetail/graph";
import { type Optimizer, sgd, type UpdateRule } from "@dovetail/train";
import { type CodeRange, decode, defaultCodeRange, encode, forbiddenCode, magnitudeCount } from "./codes.js";
import { largestMagnitude } from "./factored-network.js";

/** How coefficients are trained. */
export type CoefficientRule =
  /** Bucket switching: counted signs move an exponent by one. */
  | "switch"
  /** Counted updates do, each in proportion to its size. */
  | "accumulate"
  /** A step of gradient descent whose result is rounded at once: updates of less than half an exponent are lost. */
  | "round"
  /** Gradient descent on float32 coefficients that are rounded in the forward pass. */
  | "latent";

export interface SmartDealOptions {
  readonly rule: CoefficientRule;
  readonly range?: CodeRange | undefined;
  /** Of bases, biases and normalizations; 0.9 by default. */
  readonly momentum?: number | undefined;
  /** 0 by default. */
  readonly weightDecay?: number | undefined;
  /** Of coefficients: with 0 (default) there is no momentum to store. */
  readonly coefficientMomentum?: number | undefined;
  /** Factor of the learning rate for coefficients; 1 by default. */
  readonly coefficientRate?: number | undefined;
  readonly basisRate?: number | undefined;
  /**
   * Bucket switching: net signs that move an exponent. Accumulating: counts from a code's value to where the next larger one is
   * nearer. 1 by default, at most 127.
   */
  readonly switchBar?: number | undefined;
  /** Bucket switching: updates of a smaller magnitude are not counted (dC_threshold); 0 by default. */
  readonly updateThreshold?: number | undefined;
  /** Bucket switching: counters start anew every so many steps (an epoch). */
  readonly stepsPerEpoch: number;
}

const inputs = [
  "coefficientRate",
  "basisRate",
  "coefficientMomentum",
  "switchBar",
  "updateThreshold",
  "keepCounters",
] as const;
type Input = (typeof inputs)[number];
type Scalars = Readonly<Record<Input | "weightDecay" | "momentum", Value>>;

/** SGD with momentum, and for coefficients one of the rules. All rates and thresholds are hyper-parameters of the training. */
export function smartDealOptimizer(options: SmartDealOptions): Optimizer {
  const { rule, stepsPerEpoch, range = defaultCodeRange, momentum, weightDecay } = options;
  const { coefficientMomentum = 0, coefficientRate = 1, switchBar = 1, updateThreshold = 0, basisRate = 1 } = options;
  const base = sgd({ momentum, weightDecay });
  const rules = { switch: switching, accumulate: accumulating, round: rounding, latent: descent };
  return {
    ...base,
    name: `smartdeal-${rule}`,
    hyperparameters: {
      ...base.hyperparameters,
      coefficientMomentum,
      coefficientRate,
      switchBar,
      updateThreshold,
      basisRate,
    },
    inputs: [...base.inputs, ...inputs],
    feeds: (values, step) => ({
      ...base.feeds(values, step),
      coefficientRate: values.learningRate! * values.coefficientRate!,
      basisRate: values.learningRate! * values.basisRate!,
      coefficientMomentum: values.coefficientMomentum!,
      switchBar: values.switchBar!,
      updateThreshold: values.updateThreshold!,
      keepCounters: step % stepsPerEpoch === 0 ? 0 : 1,
    }),
    rules: {
      coefficient: rules[rule](range, coefficientMomentum > 0),
      basis: {
        ...base,
        update: (g, optimized, scalars) => base.update(g, optimized, { ...scalars, learningRate: scalars.basisRate! }),
      },
    },
  };
}

/** d, the gradient with weight decay and, where there is one, momentum. */
function direction(
  g: GraphBuilder,
  {
    value,
    gradient,
    memory,
    decay,
  }: { value: Value; gradient: Value; memory: Readonly<Record<string, Value>>; decay: boolean },
  scalars: Scalars,
): { readonly direction: Value; readonly memory: Readonly<Record<string, Value>> } {
  const decayed = decay ? g.add(gradient, g.mul(value, scalars.weightDecay)) : gradient;
  if (!memory.momentum) return { direction: decayed, memory: {} };
  const velocity = g.add(g.mul(memory.momentum, scalars.coefficientMomentum), decayed);
  return { direction: velocity, memory: { momentum: velocity } };
}

interface Counted {
  readonly code: Value;
  readonly value: Value;
  /** Float32, as it was before this step. */
  readonly counter: Value;
  /** −rate · d. */
  readonly update: Value;
}

/** The counter after a step's update, and the count at which the code moves by one. */
type Count = (g: GraphBuilder, counted: Counted, scalars: Scalars) => { readonly counter: Value; readonly bar: Value };

/** The state of a coefficient is its code and its counter. */
function counting(range: CodeRange, hasMomentum: boolean, count: Count): UpdateRule {
  return {
    memory: hasMomentum ? ["counter", "momentum"] : ["counter"],
    memoryTypes: { counter: "int8" },
    update: (g, { parameter, memory, ...optimized }, inputs) => {
      const scalars = inputs as Scalars;
      const code = g.cast(parameter, "float32");
      const value = decode(g, parameter, range);
      const found = direction(g, { ...optimized, memory, value }, scalars);
      const update = g.neg(g.mul(found.direction, scalars.coefficientRate));
      const before = g.cast(memory.counter!, "float32");
      const { counter, bar } = count(g, { code, value, counter: before, update }, scalars);
      const isAllowed = g.greater(code, forbiddenCode);
      const isReached = g.and(isAllowed, g.greaterOrEqual(g.abs(counter), bar));
      const moved = g.clip(g.add(code, g.sign(counter)), -magnitudeCount, magnitudeCount);
      const isKept = g.and(isAllowed, g.not(isReached));
      return {
        parameter: g.cast(g.where(isReached, moved, code), "int8"),
        memory: { ...found.memory, counter: g.cast(g.where(isKept, counter, 0), "int8") },
      };
    },
  };
}

/** Counts the signs of updates; with momentum as published. */
function switching(range: CodeRange, hasMomentum: boolean): UpdateRule {
  return counting(range, hasMomentum, (g, { counter, update }, { updateThreshold, keepCounters, switchBar }) => {
    const sign = g.where(g.greater(g.abs(update), updateThreshold), g.sign(update), 0);
    return { counter: g.add(g.mul(counter, keepCounters), sign), bar: switchBar };
  });
}

/**
 * Ours. The counter holds how far an element has come from its code's value: `switchBar` counts to where the next larger code
 * is nearer, and where the next smaller one is, which is half as far but for the smallest magnitude, half as many. Updates of
 * less than half a count are lost; no float32 value is kept of an element.
 */
function accumulating(range: CodeRange, hasMomentum: boolean): UpdateRule {
  const least = 2 ** range.minimumExponent;
  return counting(range, hasMomentum, (g, { code, value, counter, update }, { switchBar }) => {
    const way = g.mul(g.max(g.abs(value), least), 0.5);
    const after = g.round(g.add(counter, g.mul(g.div(update, way), switchBar)));
    const isHalfWay = g.and(g.greater(g.abs(code), 1), g.greater(0, g.mul(after, code)));
    return { counter: after, bar: g.where(isHalfWay, g.mul(switchBar, 0.5), switchBar) };
  });
}

function rounding(range: CodeRange, hasMomentum: boolean): UpdateRule {
  return {
    memory: hasMomentum ? ["momentum"] : [],
    update: (g, { parameter, ...optimized }, inputs) => {
      const scalars = inputs as Scalars;
      const code = g.cast(parameter, "float32");
      const value = decode(g, parameter, range);
      const found = direction(g, { ...optimized, value }, scalars);
      const next = encode(g, g.sub(value, g.mul(found.direction, scalars.coefficientRate)), range);
      return { parameter: g.cast(g.where(g.greater(code, forbiddenCode), next, code), "int8"), memory: found.memory };
    },
  };
}

/** Clipped at the largest magnitude, beyond which rounding would hide what changes. */
function descent(range: CodeRange, hasMomentum: boolean): UpdateRule {
  const most = largestMagnitude(range);
  return {
    memory: hasMomentum ? ["momentum"] : [],
    update: (g, { parameter, ...optimized }, inputs) => {
      const scalars = inputs as Scalars;
      const found = direction(g, { ...optimized, value: parameter }, scalars);
      const next = g.sub(parameter, g.mul(found.direction, scalars.coefficientRate));
      return { parameter: g.clip(next, -most, most), memory: found.memory };
    },
  };
}
