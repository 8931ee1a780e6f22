import { runFiles } from "../runs/layout.js";
import { type Run, warnOfVersions } from "../runs/run.js";
import type { CommandIo, CommandWatch } from "../terminal/command-io.js";
import { exitCodes, Interrupted, outcomeOf } from "../terminal/exit-codes.js";
import { quoteForShell } from "../terminal/quote.js";
import { currentVersions } from "../terminal/versions.js";
import { jsonText } from "./json-text.js";
import { jobs } from "./table.js";

/**
 * Does the work of a run to its end and gives the folder back. When it is interrupted or the surroundings fail, what was
 * done stays in the folder, and the user learns how to go on.
 */
export async function carryOut(run: Run, watch: CommandWatch, environment: CommandIo["environment"]): Promise<void> {
  const goOn = `go on with: dovetail run resume ${quoteForShell(run.folder)}`;
  try {
    if (run.isResumed) {
      watch.log.info(`going on with the run in ${run.folder}`);
      warnOfVersions(run.record, await currentVersions(), watch.log);
    }
    const { stopwatch } = run;
    const observed: CommandWatch = {
      ...watch,
      onProgress: (event) => {
        stopwatch.observe(event);
        watch.onProgress(event);
      },
    };
    const files = await jobs[run.record.kind]({ run, watch: observed, environment });
    files.set(runFiles.timing, jsonText(stopwatch.read()));
    await run.finish(files);
    await run.close("kept");
  } catch (error) {
    const isOurs = outcomeOf(error).exitCode === exitCodes.internal;
    const isKept = await run.close(watch.signal.aborted || isOurs ? "kept" : "failed");
    if (watch.signal.aborted) throw new Interrupted(`what is done is kept; ${goOn}`);
    if (isKept) watch.log.warn(`the run is not done; what is done is kept; ${goOn}`);
    throw error;
  }
}
