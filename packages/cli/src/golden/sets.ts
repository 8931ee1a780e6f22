import { compareBitFusion } from "./bitfusion.js";
import { compareCacti } from "./cacti.js";
import { compareDosa } from "./dosa.js";
import { compareEyerissOperators } from "./eyeriss-operators.js";
import { compareFpgaChunks } from "./fpga-chunks.js";
import { compareInterstellar } from "./interstellar.js";
import { compareMaestro } from "./maestro.js";
import type { GoldenSetRunner } from "./result.js";
import { compareScaleSim } from "./scalesim.js";
import { compareTimeloopExecuted } from "./timeloop-executed.js";
import { compareTimeloopReference } from "./timeloop-reference.js";
import { compareZigZagFixedOrder } from "./zigzag-fixed-order.js";
import { compareZigZagReference } from "./zigzag-reference.js";

/** The sets of reference figures that a model of ours covers, by their name in the file (or the file's own name). */
export const goldenSets: Readonly<Record<string, GoldenSetRunner>> = {
  timeloop_executed_random: compareTimeloopExecuted,
  timeloop_reference: compareTimeloopReference,
  bitfusion_reference: compareBitFusion,
  cacti_executed: compareCacti,
  dosa_firesim_reference: compareDosa,
  interstellar_reference: compareInterstellar,
  maestro_executed: compareMaestro,
  scalesim_reference: compareScaleSim,
  zigzag_executed_fixed_order: compareZigZagFixedOrder,
  zigzag_reference: compareZigZagReference,
  "eyeriss-row-stationary-operators": compareEyerissOperators,
  "fpga-chunk-predictor": compareFpgaChunks,
};
