import type { GraphBuilder, Value } from "@dovetail/graph";
import type { Network, ObservedRange, ParameterSpec } from "@dovetail/models";
import type { GradientQuantizer } from "../../quantizers/gradient-precision.js";
import type { Layer } from "../layers.js";

/** A parameter of a quantizer; its name is the site's key and this one's, joined by a colon. */
export interface QuantizerParameter extends Pick<ParameterSpec, "shape" | "role" | "initialization" | "decay"> {
  readonly name: string;
  readonly trainable: boolean;
}

/** What a quantizer computes with. */
export interface SiteContext {
  /** Of the weight or input. */
  readonly bits: Value;
  /** Of the error product; undefined where gradients are in full precision. */
  readonly errorBits: Value | undefined;
  /** The parameter of that name, or the chosen row of it. */
  readonly read: (parameter: string) => Value;
  /** As given by `SiteQuantizer.noise`; absent where rounding is to the nearest. */
  readonly noise?: Value | undefined;
}

/** Quantizes one weight, or one input. */
export interface SiteQuantizer {
  readonly parameters?: readonly QuantizerParameter[] | undefined;
  readonly build: (g: GraphBuilder, value: Value, context: SiteContext) => Value;
  /** The value's range, kept by training: from each parameter's name to what is observed. */
  readonly observed?: Readonly<Record<string, Pick<ObservedRange, "statistic" | "axis">>> | undefined;
  /** First value of each parameter, from the value in float32 (with its bits): of a weight, or of a batch. */
  readonly start?: ((g: GraphBuilder, value: Value, bits: Value) => Readonly<Record<string, Value>>) | undefined;
  /** The quantizer stands in the place of the activation that gives the value: whatever reads the value sees it quantized. */
  readonly replacesActivation?: boolean | undefined;
}

/** What is known of a layer's input. */
export interface InputSite {
  readonly layer: Layer;
  /** May be negative. */
  readonly isSigned: boolean;
  /** Is the result of a ReLU, or of a Clip from 0 or more on. */
  readonly isRectified: boolean;
}

/** A published way to quantize a network's layers. */
export interface QuantizerFamily {
  /** Layers in full precision, in the published code. */
  readonly fullPrecision: (layer: Layer) => boolean;
  /** What rounds the gradients that arrive at layers; none where the publication has full-precision gradients. */
  readonly gradient: GradientQuantizer | undefined;
  readonly weight: (layer: Layer, network: Network) => SiteQuantizer;
  readonly input: (site: InputSite) => SiteQuantizer;
  /** Further scalar inputs, with their values. */
  readonly scalars?: Readonly<Record<string, number>> | undefined;
  /** Bits of the weight-gradient product where nothing is said; 8 unless given. */
  readonly weightGradientBits?: number | undefined;
  /** Weights' gradients are rounded too, with noise. */
  readonly roundsWeightGradients?: boolean | undefined;
}
