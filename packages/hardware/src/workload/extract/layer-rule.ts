import type { Node } from "@dovetail/graph";
import type { LayerBitWidths } from "../layers.js";
import type { PointOperation, Problem } from "../problem.js";

/** What a layer rule sees. */
export interface LayerContext {
  readonly node: Node;
  /** Name of the layer as a problem's name may be. */
  readonly name: string;
  /** Shape of an input; throws when it is absent or a size is not known. */
  shape(index: number): readonly number[];
  /** Shape of an output. */
  outputShape(index: number): readonly number[];
  /** True when the input changes with the data that the network is run on. */
  isData(index: number): boolean;
  /** An input error that names the node. */
  fail(message: string): Error;
}

/** A loop nest that a node runs, and which of its tensors are which. */
export interface LoopNest {
  readonly problem: (bitWidths: LayerBitWidths) => Problem;
  /** Index of the node's input that is the data space Weights. */
  readonly weights: number;
  /** Index of the node's input that is the data space Inputs. */
  readonly inputs: number;
  /** What its points do. `multiply` by default, or `shift` where the weights are powers of two. */
  readonly operation?: PointOperation | undefined;
  /** How often the loop nest runs, one after the other. 1 by default. */
  readonly repetitions?: number | undefined;
  /** Told apart by this where a node runs several. */
  readonly part?: string | undefined;
}

/** The loop nests of a node's multiply-accumulates. */
export type LayerRule = (context: LayerContext) => readonly LoopNest[];

export type LayerTable = Readonly<Record<string, LayerRule>>;
