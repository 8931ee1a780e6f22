import type { Loss } from "@dovetail/train";
import { gatedNames } from "./gate-plan.js";

/** The loss of a gated network: the task's, and the gates' mean cost times the scalar input `costFactor`. */
export function lossWithCost(task: Loss): Loss {
  return {
    ...task,
    name: `${task.name}WithCost`,
    build: (g, output, target) =>
      g.add(task.build(g, output, target), g.mul(g.value(gatedNames.cost), g.value(gatedNames.costFactor))),
  };
}
