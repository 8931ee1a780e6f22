// A step of PGD-7 training at 8 bit (ResNet-20 with a batch norm for each of 4 … 16 bit, batch 128) against the authors'
// formulation: seven passes to the images in training mode, one to the weights. Ours attacks in inference form.
import { switchableRow } from "./switchable-row.mjs";

export const row = switchableRow("pgd7");
