import type { GraphBuilder, Value } from "@dovetail/graph";

/**
 * Scales all gradients together so that their common norm is at most `maximumNorm` (rank 0), as
 * `torch.nn.utils.clip_grad_norm_` (Pascanu et al. 2013).
 */
export function clipGradients(g: GraphBuilder, gradients: readonly Value[], maximumNorm: Value): readonly Value[] {
  const squares = gradients.map((gradient) => g.op("ReduceSumSquare", [gradient], { keepdims: 0 }));
  const norm = g.sqrt(g.op("Sum", squares, {}));
  const factor = g.min(g.div(maximumNorm, g.add(norm, 1e-6)), 1);
  return gradients.map((gradient) => g.mul(gradient, factor));
}
