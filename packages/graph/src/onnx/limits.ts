/** Bounds on what a file may ask for, so that a hostile or broken one is refused before it costs memory or time. */
export interface ReadLimits {
  readonly fileBytes: number;
  /** Nodes, of all graphs and functions together. */
  readonly nodes: number;
  /** Protobuf messages of all kinds together (nodes, attributes, tensors, dimensions…). */
  readonly messages: number;
  /** Numbers and strings in repeated fields, together; values in `raw_data` or external data don't count. */
  readonly listValues: number;
  /** Values of one tensor. */
  readonly tensorElements: number;
  /** How deep graphs may lie in attributes of nodes of graphs; the main graph is 1. */
  readonly graphDepth: number;
}

export const defaultReadLimits: ReadLimits = {
  fileBytes: 2 ** 31,
  nodes: 1_000_000,
  messages: 8_000_000,
  listValues: 2 ** 25,
  tensorElements: 2 ** 33,
  graphDepth: 16,
};
