/**
 * The command dovetail.
 *
 * @module cli
 */

export { run } from "./program.js";
export type { CommandIo } from "./terminal/command-io.js";
export { exitCodes } from "./terminal/exit-codes.js";
export type { Output } from "./terminal/output.js";
