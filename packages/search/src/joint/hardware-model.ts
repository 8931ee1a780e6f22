// What a network search asks of the hardware, whatever it is. Designs and layers are the hardware's own affair.
import type { RandomStream, Watch } from "@dovetail/core";
import type { Graph } from "@dovetail/graph";

/** Layers of every operator at every position, and of what all networks of the space share. */
export interface SpaceLayers<Layer> {
  readonly fixed: readonly Layer[];
  /** [position][operator]. */
  readonly positions: readonly (readonly (readonly Layer[])[])[];
}

/** What operators cost where they stand. */
export interface OperatorPrices {
  /** Natural logarithm of the cost of the network that the prices were taken at. */
  readonly logCost: number;
  /** [position][operator]: logarithm of the cost with that operator there, up to a constant per position. */
  readonly prices: readonly (readonly number[])[];
}

export interface RedesignOptions {
  readonly evaluations: number;
  /** Only its identity counts. */
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
}

/** A design for a network. `state` is plain data, with which the next redesign goes on. */
export interface Redesign<Design, State> {
  readonly design: Design;
  readonly state: State;
  readonly evaluations: number;
}

/** One kind of hardware with its designs. */
export interface HardwareModel<Layer, Design, State> {
  /** Layers of a graph in inference form, batch 1, at its annotated precision. */
  layersOf(graph: Graph): readonly Layer[];
  /** Where a search starts. */
  readonly referenceDesign: Design;
  /** Natural logarithm of the objective of a network on a design; infinite when it does not fit. */
  logCost(layers: readonly Layer[], design: Design): number;
  /** Prices under these operator distributions, [position][operator]. */
  operatorPrices(
    space: SpaceLayers<Layer>,
    distributions: readonly (readonly number[])[],
    design: Design,
  ): OperatorPrices;
  /** Looks for the best design for a network, within the limits; goes on from `state` where there is one. */
  redesign(
    layers: readonly Layer[],
    state: State | undefined,
    options: RedesignOptions,
  ): Promise<Redesign<Design, State>>;
}

/**
 * Gradient of the expected price with respect to the logits, Σ softmax(logits)·price per position:
 * p·(price − mean price).
 */
export function priceGradient(
  distributions: readonly (readonly number[])[],
  prices: readonly (readonly number[])[],
): number[][] {
  return distributions.map((distribution, position) => {
    const row = prices[position]!;
    const mean = distribution.reduce((sum, p, operator) => sum + p * row[operator]!, 0);
    return distribution.map((p, operator) => p * (row[operator]! - mean));
  });
}
