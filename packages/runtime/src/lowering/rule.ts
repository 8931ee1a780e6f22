import type { Graph, Node } from "@dovetail/graph";
import type { Emitter } from "./emitter.js";
import type { Forms } from "./forms.js";

/** What a lowering rule sees. */
export interface LoweringContext {
  readonly node: Node;
  readonly graph: Graph;
  readonly emitter: Emitter;
  readonly forms: Forms;
  /** Per-channel vectors with their channels filled up to whole blocks, by the original value's name. */
  readonly paddedVectors: Map<string, string>;
  /** Results that several nodes share, by what they are. */
  readonly memo: Map<string, string>;
}

/**
 * Adds what computes the node and defines the forms of its outputs. Returns false, having added nothing, when the
 * node does not fit: it is then computed in plain order.
 */
export type LoweringRule = (context: LoweringContext) => boolean;

/** Lowering rules by operator; operators of Dovetail's own domain are written `ai.dovetail.Name`. */
export type LoweringTable = Readonly<Record<string, LoweringRule>>;
