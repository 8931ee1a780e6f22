import type { FileContents, Run } from "../runs/run.js";
import type { CommandIo, CommandWatch } from "../terminal/command-io.js";

/** What a job works with. */
export interface JobContext {
  readonly run: Run;
  readonly watch: CommandWatch;
  readonly environment: CommandIo["environment"];
}

/**
 * The work of one kind of run, from what lies in its folder to the files of its result. It depends on the folder and its
 * record alone, so that another process can go on with it.
 */
export type Job = (context: JobContext) => Promise<Map<string, FileContents>>;
