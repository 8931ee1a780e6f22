// A step of PGD-7 training at 8 bit (ResNet-20 with a batch norm for each of 4 … 16 bit, batch 128). The authors attack in
// training mode; ours in inference form, so that the peer runs in both and the faster one counts.
import { switchableRow } from "./switchable-row.mjs";

export const row = switchableRow("pgd7", [
  { kind: "pgd7", mode: ", attack in training mode" },
  { kind: "pgd7-inference", mode: ", attack in inference mode" },
]);
