// A step of cascade distillation training (ResNet-20, batch 128, 4, 8, 12, 16 and 32 bit) against the authors'
// formulation: a forward and backward pass a precision, the highest first, then one step of the optimizer.
import { switchableRow } from "./switchable-row.mjs";

export const row = switchableRow("cdt");
