import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import type { ProgressEvent } from "@dovetail/core";
import { readFileIfPresent, writeFileAtomically } from "@dovetail/train";
import { z } from "zod";
import { stateFolder } from "./layout.js";

const seconds = z.number().min(0);

/** timing.json: all that depends on the clock and the machine. */
export const timingSchema = z.strictObject({
  startedAt: z.iso.datetime().describe("When the run was begun."),
  finishedAt: z.iso.datetime().describe("When it was done."),
  wallSeconds: seconds.describe("Of all processes that worked on the run, without the time between them."),
  cpuSeconds: seconds.describe("Processor time of these processes, all threads together."),
  resumptions: z.number().int().min(0).describe("How often the run was resumed."),
  tasks: z
    .array(z.strictObject({ task: z.string(), wallSeconds: seconds }))
    .describe("Time between the first and the last progress of each task, in the order in which they began."),
  machine: z
    .strictObject({ processor: z.string(), cores: z.number().int(), peakMemoryBytes: z.number() })
    .describe("Of the process that finished the run; the largest memory of all."),
});

export type Timing = z.infer<typeof timingSchema>;

/** Measures a run, also over several processes. */
export interface Stopwatch {
  /** Notes progress, for the time of each task. */
  observe(event: ProgressEvent): void;
  /** Keeps what was measured, for the next process. */
  save(): Promise<void>;
  read(): Timing;
}

/** A clock for the run in `folder`, which goes on from what earlier processes saved there. */
export async function startStopwatch(folder: string): Promise<Stopwatch> {
  const path = join(stateFolder(folder), "timing.json");
  const before = await readBefore(path);
  const begin = Date.now();
  const tasks = new Map<string, { wallSeconds: number }>(
    before?.tasks.map(({ task, wallSeconds }) => [task, { wallSeconds }]),
  );
  let last: { task: string; at: number } | undefined;
  const read = (): Timing => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const peak = Math.max(maxRSS * 1024, before?.machine.peakMemoryBytes ?? 0);
    return {
      startedAt: before?.startedAt ?? new Date(begin).toISOString(),
      finishedAt: new Date().toISOString(),
      wallSeconds: (before?.wallSeconds ?? 0) + (Date.now() - begin) / 1000,
      cpuSeconds: (before?.cpuSeconds ?? 0) + (userCPUTime + systemCPUTime) / 1e6,
      resumptions: before === undefined ? 0 : before.resumptions + 1,
      tasks: [...tasks].map(([task, { wallSeconds }]) => ({ task, wallSeconds })),
      machine: { processor: cpus()[0]?.model ?? "unknown", cores: availableParallelism(), peakMemoryBytes: peak },
    };
  };
  return {
    observe({ task }) {
      const now = Date.now();
      const entry = tasks.get(task) ?? { wallSeconds: 0 };
      tasks.set(task, entry);
      if (last?.task === task) entry.wallSeconds += (now - last.at) / 1000;
      last = { task, at: now };
    },
    save: () => writeFileAtomically(path, JSON.stringify(read())),
    read,
  };
}

async function readBefore(path: string): Promise<Timing | undefined> {
  const bytes = await readFileIfPresent(path, 2 ** 24);
  if (bytes === undefined) return undefined;
  // Times are no results: damaged ones are forgotten.
  try {
    return timingSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
