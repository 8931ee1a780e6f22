import type { Command } from "commander";
import type { CommandIo } from "../terminal/command-io.js";
import { acceleratorsCommand } from "./accelerators.js";
import { attackCommand } from "./attack.js";
import { compressCommand } from "./compress.js";
import { costCommand } from "./cost.js";
import { dataCommand } from "./data.js";
import { evalCommand } from "./eval.js";
import { exportCommand } from "./export.js";
import { goldenCommand } from "./golden.js";
import { hwnasCommand } from "./hwnas.js";
import { layersCommand } from "./layers.js";
import { mapCommand } from "./map.js";
import { predictCommand } from "./predict.js";
import { quantizeCommand } from "./quantize.js";
import { reproduceCommand } from "./reproduce.js";
import { runCommand } from "./run.js";
import { searchCommand } from "./search.js";
import { trainCommand } from "./train.js";

/** All commands, in the order of the help. */
export const commands: readonly ((io: CommandIo) => Command)[] = [
  searchCommand,
  trainCommand,
  evalCommand,
  predictCommand,
  quantizeCommand,
  compressCommand,
  attackCommand,
  layersCommand,
  mapCommand,
  costCommand,
  exportCommand,
  acceleratorsCommand,
  hwnasCommand,
  dataCommand,
  reproduceCommand,
  runCommand,
  goldenCommand,
];
