import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DovetailError, inputError } from "@dovetail/core";
import { checkDocument } from "@dovetail/hardware";
import { isPresent } from "@dovetail/train";
import type { z } from "zod";
import { inFile, readText } from "../files/read-text.js";
import { runFiles } from "./layout.js";
import { liveOwner } from "./lock.js";
import { type SearchMetrics, searchMetricsSchema, type TrainMetrics, trainMetricsSchema } from "./metrics.js";
import { readRunRecord } from "./record.js";

/** A finished run. */
export type RunSummary =
  | { readonly kind: "search"; readonly metrics: SearchMetrics }
  | { readonly kind: "train"; readonly metrics: TrainMetrics };

/** How far a run is. */
export type RunStatus = "done" | "running" | "interrupted" | "damaged";

export interface ListedRun {
  readonly folder: string;
  readonly status: RunStatus;
  /** Absent where it cannot be read. */
  readonly command?: string | undefined;
  readonly summary?: RunSummary | undefined;
}

/** The figures of a finished run. Throws the input errors `run_missing`, `run_unfinished` and those of the reader. */
export async function readRunSummary(folder: string): Promise<RunSummary> {
  const path = join(folder, runFiles.metrics);
  if (!(await isPresent(path))) throw await notDone(folder);
  const isTraining = await isPresent(join(folder, runFiles.training));
  return isTraining
    ? { kind: "train", metrics: await readJsonFile(path, trainMetricsSchema) }
    : { kind: "search", metrics: await readJsonFile(path, searchMetricsSchema) };
}

async function notDone(folder: string): Promise<Error> {
  if (await readRunRecord(folder)) {
    return inputError("run_unfinished", "this run is not done", {
      file: folder,
      hint: `go on with it: dovetail run resume ${folder}`,
    });
  }
  return inputError("run_missing", "no run lies in this folder", {
    file: folder,
    expected: "a run folder, made by `dovetail search` or `dovetail train`",
  });
}

/** All runs directly inside a folder, by name. Folders that are no runs are left out. */
export async function listRuns(folder: string): Promise<ListedRun[]> {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const runs: ListedRun[] = [];
  for (const name of names.map((entry) => entry.name).sort()) {
    const listed = await listRun(join(folder, name));
    if (listed) runs.push(listed);
  }
  return runs;
}

async function listRun(folder: string): Promise<ListedRun | undefined> {
  try {
    if (await isPresent(join(folder, runFiles.metrics))) {
      const summary = await readRunSummary(folder);
      return { folder, status: "done", command: summary.metrics.command, summary };
    }
    const record = await readRunRecord(folder);
    if (!record) return undefined;
    return { folder, status: (await liveOwner(folder)) ? "running" : "interrupted", command: record.command };
  } catch (error) {
    // A folder with damaged files is no reason not to list the others.
    if (error instanceof DovetailError) return { folder, status: "damaged" };
    throw error;
  }
}

/** JSON from a file, checked. Throws input errors that name the file and the field. */
export async function readJsonFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw inputError("json_syntax", `not JSON (${(error as Error).message})`, { file: path });
  }
  return inFile(path, () => checkDocument(schema, value));
}
