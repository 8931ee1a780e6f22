import { elementCount } from "@dovetail/graph";
import type { Loss } from "./loss.js";

/** Mean of the squared differences to a float32 target of the output's shape, as `torch.nn.MSELoss`. */
export function meanSquaredError(): Loss {
  return {
    name: "meanSquaredError",
    target: (shape) => ({ elementType: "float32", shape }),
    build: (g, output, target) => {
      const difference = g.sub(output, target);
      const axes = output.type.shape!.map((_, axis) => axis);
      const sum = g.reduceSum(g.mul(difference, difference), axes);
      return g.mul(sum, 1 / elementCount(output.type.shape as readonly number[]));
    },
  };
}
