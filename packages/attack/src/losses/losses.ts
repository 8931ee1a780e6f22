// The losses of the attacks, z being an image's logits, y its label and z(1) ≥ z(2) ≥ … its sorted logits.

import { type AttackLoss, largestLogits, largestOther, logitAt, tiny } from "./loss.js";

/** Softmax cross-entropy. */
export const crossEntropyLoss: AttackLoss = {
  name: "cross-entropy",
  leastClasses: 2,
  isTargeted: false,
  build: (g, logits, label) => g.neg(logitAt(g, g.logSoftmax(logits, 1), label)),
};

/** max z_i (i ≠ y) − z_y: positive where the image is misclassified (Carlini and Wagner 2017, confidence 0). */
export const marginLoss: AttackLoss = {
  name: "margin",
  leastClasses: 2,
  isTargeted: false,
  build: (g, logits, label) => g.sub(largestOther(g, logits, label), logitAt(g, logits, label)),
};

/** z_t − z_y for a target class t: the hyperplane that FAB-T steps towards. */
export const differenceLoss: AttackLoss = {
  name: "difference",
  leastClasses: 2,
  isTargeted: true,
  build: (g, logits, label, target) => g.sub(logitAt(g, logits, target!), logitAt(g, logits, label)),
};

/**
 * Difference of logits ratio, −(z_y − max z_i) / (z(1) − z(3) + 1e-12) with i ≠ y (Croce and Hein 2020): the same for
 * shifted and positively scaled logits.
 */
export const dlrLoss: AttackLoss = {
  name: "dlr",
  leastClasses: 3,
  isTargeted: false,
  build: (g, logits, label) => {
    const [first, , third] = largestLogits(g, logits, 3);
    const margin = marginLoss.build(g, logits, label, undefined);
    return g.div(margin, g.add(g.sub(first!, third!), tiny));
  },
};

/** −(z_y − z_t) / (z(1) − ½(z(3) + z(4)) + 1e-12) for a target class t (Croce and Hein 2020). */
export const targetedDlrLoss: AttackLoss = {
  name: "targeted-dlr",
  leastClasses: 4,
  isTargeted: true,
  build: (g, logits, label, target) => {
    const [first, , third, fourth] = largestLogits(g, logits, 4);
    const spread = g.sub(first!, g.mul(g.add(third!, fourth!), 0.5));
    return g.div(differenceLoss.build(g, logits, label, target), g.add(spread, tiny));
  },
};
