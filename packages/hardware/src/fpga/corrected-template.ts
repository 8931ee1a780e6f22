import type { FpgaBoard } from "./board.js";
import { correctedModel, correctedSpace } from "./corrected-model.js";
import type { FpgaTemplate } from "./template.js";

/**
 * The pipeline to design with on a board: corrected model, power-of-two choices, the split between large and small
 * outputs left to the solver, 200 MHz unless said.
 */
export function fpgaTemplate(options: {
  readonly board: FpgaBoard;
  readonly clockHz?: number | undefined;
}): FpgaTemplate {
  return {
    model: correctedModel({ dspSlice: options.board.dspSlice }),
    space: correctedSpace,
    splitSize: "best",
    clockHz: options.clockHz ?? 200e6,
  };
}
