import type { ElementType, GraphBuilder, Shape, Value } from "@dovetail/graph";

/** What a loss is measured against: a graph input, fed with each batch. */
export interface TargetInput {
  readonly elementType: ElementType;
  readonly shape: Shape;
}

/** A loss: what it needs beside the network's output, and how it is computed. */
export interface Loss {
  readonly name: string;
  /** The target, from the output's shape [batch, classes]. */
  readonly target: (outputShape: Shape) => TargetInput;
  /** The mean loss of the batch, rank 0, float32. */
  readonly build: (g: GraphBuilder, output: Value, target: Value) => Value;
}
