import type { GraphBuilder, Value } from "@dovetail/graph";
import type { ParameterSpec } from "@dovetail/models";

/** AdderNet's η (Chen et al. 2020, equation 12): the step of an add layer's weight has this root mean square. */
const adderRate = 0.2;
const smallestNorm = 1e-12;

/**
 * What the optimizer takes as the gradient of a parameter. That of an add layer's weight (n values) becomes
 * η·√n / max(‖gradient‖₂, 1e-12) · gradient with η = 0.2: its layers' gradients differ in size by orders of magnitude.
 * All others stay. Weight decay, momentum and the learning rate come after it, clipping before.
 */
export function scaledGradient(g: GraphBuilder, { role, shape }: ParameterSpec, gradient: Value): Value {
  if (role !== "adderWeight") return gradient;
  const count = shape.reduce((product, size) => product * size, 1);
  // A product of vectors: its order of summation does not depend on the number of threads.
  const square = g.matMul(g.reshape(gradient, [1, count]), g.reshape(gradient, [count, 1]));
  const norm = g.max(g.sqrt(g.reshape(square, [])), smallestNorm);
  return g.mul(gradient, g.div(adderRate * Math.sqrt(count), norm));
}
