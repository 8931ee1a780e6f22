import type { Oracle } from "./oracle.js";

/**
 * Backward-pass-differentiable approximation (Athalye et al. 2018): losses and decisions are the defence's, gradients
 * those of another oracle at the same points, a full-precision form, say, or a network without the part that has no
 * useful gradient. Costs a forward pass of the one and a forward and backward pass of the other.
 */
export function backwardThrough(defence: Oracle, surrogate: Oracle): Oracle {
  return {
    ...defence,
    differentiate: async (points, loss, answer, rows) => {
      await surrogate.differentiate(points, loss, answer, rows);
      await defence.evaluate(points, loss, answer, rows);
    },
    passes: () => {
      const [own, others] = [defence.passes(), surrogate.passes()];
      return {
        forward: own.forward + others.forward,
        forwardAndBackward: own.forwardAndBackward + others.forwardAndBackward,
      };
    },
  };
}
