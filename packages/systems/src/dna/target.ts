// The two kinds of hardware behind one face: search on it, design for a network, figures of the result.
import type { RandomStream, Watch } from "@dovetail/core";
import type { Graph } from "@dovetail/graph";
import type { HardwareModel, SpaceLayers } from "@dovetail/search";
import type { AlternateOptions, AlternateResult } from "./alternate.js";
import type { AcceleratorResult, ConstraintOutcome, HardwareFigures, LayerResult, SearchTrace } from "./result.js";

/** A network's hardware with all its figures. */
export interface DesignedHardware {
  readonly accelerator: AcceleratorResult;
  readonly hardware: HardwareFigures;
  readonly layers: readonly LayerResult[];
  /** Designs that were evaluated to find it. */
  readonly evaluations: number;
  readonly trace: SearchTrace["acceleratorTrace"];
}

export interface DesignRequest {
  /** The delivered network's graph, with its bit-widths. */
  readonly graph: Graph;
  /** `reference`: the family's default accelerator; `searched`: one found for this network alone. */
  readonly accelerator: "reference" | "searched";
  /** Only its identity counts. */
  readonly random: RandomStream;
  /** State of the search's accelerator part, to go on from. */
  readonly designState?: unknown;
  readonly watch: Watch;
}

/** What `alternate` needs beside the target. */
export type SearchRequest = Omit<
  AlternateOptions<never, never, never>,
  "hardware" | "layers" | "referenceLayers" | "describeDesigns"
> & {
  /** The graph of an operator or of what all networks share, at the delivered precision. */
  readonly graphs: SpaceGraphs;
  /** The network that the cost target is a fraction of, with its bit-widths. */
  readonly referenceGraph: Graph;
};

/** Inference graphs with bit-widths: of the shared parts, and of every operator at every position. */
export interface SpaceGraphs {
  readonly fixed: readonly Graph[];
  readonly positions: readonly (readonly Graph[])[];
}

export interface Target {
  search(request: SearchRequest): Promise<AlternateResult<unknown, unknown>>;
  design(request: DesignRequest): Promise<DesignedHardware>;
  /** The bounds on the hardware, held against its figures. */
  constraints(hardware: HardwareFigures): readonly ConstraintOutcome[];
}

/** Layers of a space on some hardware. */
export function spaceLayers<Layer, Design, State>(
  { layersOf }: HardwareModel<Layer, Design, State>,
  graphs: SpaceGraphs,
): SpaceLayers<Layer> {
  return {
    fixed: graphs.fixed.flatMap(layersOf),
    positions: graphs.positions.map((operators) => operators.map(layersOf)),
  };
}
