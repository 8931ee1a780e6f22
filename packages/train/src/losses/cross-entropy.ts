import { tensor, type Value } from "@dovetail/graph";
import type { Loss } from "./loss.js";

export interface CrossEntropyOptions {
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016); 0 by default. */
  readonly labelSmoothing?: number | undefined;
}

/**
 * Softmax cross-entropy between logits [batch, classes] and labels, int64 [batch]; the mean over the batch, as
 * `torch.nn.CrossEntropyLoss`.
 */
export function softmaxCrossEntropy({ labelSmoothing = 0 }: CrossEntropyOptions = {}): Loss {
  return {
    name: "softmaxCrossEntropy",
    target: (shape) => ({ elementType: "int64", shape: [shape[0]!] }),
    build: (g, logits, labels) => {
      const [batch, classes] = logits.type.shape as readonly number[];
      const others = labelSmoothing / classes!;
      const values = g.constant(tensor("float32", [2], [others, 1 - labelSmoothing + others]));
      const target: Value = g.op("OneHot", [labels, g.scalar(classes!, "int64"), values], { axis: -1 });
      const products = g.mul(g.logSoftmax(logits, 1), target);
      return g.mul(g.reduceSum(products, [0, 1]), -1 / batch!);
    },
  };
}
