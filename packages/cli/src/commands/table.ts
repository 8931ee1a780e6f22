import type { Command } from "commander";
import type { CommandIo } from "../terminal/command-io.js";
import { costCommand } from "./cost.js";
import { dataCommand } from "./data.js";
import { goldenCommand } from "./golden.js";

/** All commands, in the order of the help. */
export const commands: readonly ((io: CommandIo) => Command)[] = [costCommand, dataCommand, goldenCommand];
