import type { ElementType, Graph, Shape } from "@dovetail/graph";

/** What a parameter is for, in the network's arithmetic. */
export type ParameterRole =
  | "weight"
  /** What an add layer's inputs are compared with; its step is scaled (AdderNet's adaptive rate). */
  | "adderWeight"
  | "bias"
  | "scale"
  | "shift"
  | "runningMean"
  | "runningVariance"
  /** What a range normalization divides by. */
  | "runningScale"
  /** An end, or the largest magnitude, of what an activation quantizer represents. */
  | "activationRange"
  /** Distance of two neighbouring values of a learnt quantizer. */
  | "stepSize"
  /** Value at which a learnt quantizer clips. */
  | "clippingValue"
  /** Logarithm to base 2 of a weight's magnitude. */
  | "exponent"
  /** A weight's sign before it is rounded to −1, 0 or 1. */
  | "sign"
  /** Factors of which a weight is the product: sparse signed powers of two, and the small matrix beside them. */
  | "coefficient"
  | "basis"
  /** 1 where a value may be other than zero. */
  | "mask";

/**
 * How a parameter starts. The fans are those of PyTorch's `torch.nn.init`: of a weight [O, I, …kernel],
 * fan in = I · kernel size, fan out = O · kernel size (groups are not taken into account).
 */
export type Initialization =
  /** Normal with deviation √2 / √fan (He et al. 2015). */
  | { readonly kind: "kaimingNormal"; readonly mode: "fanIn" | "fanOut" }
  /** Uniform in ±√(6 / ((1 + a²) · fan in)), a = `negativeSlope`; √5 gives PyTorch's default of ±1/√(fan in). */
  | { readonly kind: "kaimingUniform"; readonly negativeSlope: number }
  /** Normal with deviation √(2 / (fan in + fan out)) (Glorot and Bengio 2010). */
  | { readonly kind: "xavierNormal" }
  /** Uniform in ±√(6 / (fan in + fan out)). */
  | { readonly kind: "xavierUniform" }
  | { readonly kind: "normal"; readonly mean: number; readonly standardDeviation: number }
  /** Uniform in mean ± bound; the mean is 0 unless said. */
  | { readonly kind: "uniform"; readonly bound: number; readonly mean?: number | undefined }
  | { readonly kind: "constant"; readonly value: number };

/** One tensor of a network that is not computed from its input. */
export interface ParameterSpec {
  /** Name of the graph input that takes it, e.g. `layer1.0.conv1.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
  readonly initialization: Initialization;
  /** Changed by the optimizer. Running statistics are not: they are averaged. */
  readonly trainable: boolean;
  /** Weight decay applies. */
  readonly decay: boolean;
  /**
   * Name of the scalar input that chooses a row of the first axis: values that each setting has for itself. A training
   * step changes the chosen row alone.
   */
  readonly row?: string | undefined;
  /** Smallest and largest value: the optimizer's step ends inside. */
  readonly bounds?: readonly [number, number] | undefined;
  /** float32 by default. */
  readonly elementType?: ElementType | undefined;
  /**
   * Value of the graph whose gradient trains the parameter, where that is a code without a gradient of its own: what it
   * stands for, float32, of the parameter's shape. An optimizer needs a rule for its role.
   */
  readonly trainedBy?: string | undefined;
}

/** What is observed of a value's entries. */
export type ObservedStatistic =
  /** The largest magnitude. */
  | "magnitude"
  | "min"
  | "max"
  /** Means over the samples (axis 0) of each one's smallest and largest. */
  | "sampleMin"
  | "sampleMax"
  | "mean"
  /** Deviation estimated from the mean range of 16 parts of n entries: range · .175 · (1 + √(π ln 4)) / √(2 ln n) (Banner et al. 2018). */
  | "rangeDeviation";

/**
 * A range that training keeps: after each step it becomes
 * (1 − momentum) · range + momentum · (the `statistic` of `observed` in the step's batch).
 */
export interface ObservedRange {
  /** Value from which the graph reads it: a parameter, an Identity of one, or the row of one (`chosenRow`). */
  readonly range: string;
  /** Value of the graph that is observed. */
  readonly observed: string;
  readonly statistic: ObservedStatistic;
  /** Axis of the channels that have a range each, of shape [channels]; without it, one range for the tensor, rank 0. */
  readonly axis?: number | undefined;
  readonly momentum: number;
  /** While training, what reads the range gets the batch's statistic (then it is no parameter itself). False by default. */
  readonly batchInTraining?: boolean | undefined;
}

/** An input that training fills anew at every step with values uniform in ±½: for stochastic rounding of gradients. */
export interface NoiseInput {
  readonly input: string;
  readonly shape: Shape;
}

/** A batch normalization whose statistics, while training, are those of some of the batch's samples. */
export interface SampleSelection {
  /** Name of the BatchNormalization node. */
  readonly node: string;
  /** Value [batch, 1] of the graph: 1 for samples that count. The gradient of all others must arrive as zero. */
  readonly active: string;
  /** Whether the node's input is zero in all others already. */
  readonly isZeroElsewhere: boolean;
}

/** A further input of the graph that is neither image nor parameter: a bit-width, say. All are rank-0 float32. */
export interface ScalarInput {
  readonly name: string;
  /** What it takes where nothing else is said. */
  readonly value: number;
}

/**
 * A network as a graph, without its weights. The graph is in inference form: batch normalization uses running
 * statistics, dropout passes everything. Its inputs are the image [batch, channels, height, width], with a symbolic
 * batch and raw pixels 0–255 unless the network was imported, the parameters, the scalars and the noises. Noises occur
 * in gradients only: `predictionGraph` is without them.
 */
export interface Network {
  readonly name: string;
  readonly graph: Graph;
  /** Name of the graph input that takes the image. */
  readonly image: string;
  /** Smallest and largest value of the image; [0, 255] for raw pixels. */
  readonly imageRange: readonly [number, number];
  /** Name of the value that holds the logits [batch, classCount]: what losses work on. */
  readonly logits: string;
  readonly classCount: number;
  readonly parameters: readonly ParameterSpec[];
  readonly scalars: readonly ScalarInput[];
  readonly observedRanges: readonly ObservedRange[];
  readonly noises: readonly NoiseInput[];
  readonly selections?: readonly SampleSelection[] | undefined;
}

/** Number of values of all parameters, or of the trainable ones alone. */
export function parameterCount(
  network: Network,
  options: { readonly trainableOnly?: boolean | undefined } = {},
): number {
  return network.parameters
    .filter((parameter) => parameter.trainable || !options.trainableOnly)
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
