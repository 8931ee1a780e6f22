import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { inputError, type Log } from "@dovetail/core";
import type { StageStore } from "@dovetail/systems";
import {
  digestOfBytes,
  isPresent,
  readCheckpoint,
  readFileIfPresent,
  writeCheckpoint,
  writeError,
  writeFileAtomically,
} from "@dovetail/train";
import { isRunFile, isTemporaryName, runFiles, stateFolder } from "./layout.js";
import { acquireLock, makeNewFolder, type RunLock } from "./lock.js";
import { type RunRecord, readRunRecord, writeRunRecord } from "./record.js";
import { type Stopwatch, startStopwatch } from "./timing.js";

export type FileContents = string | Uint8Array | readonly Uint8Array[];

/** A run that this process works on. */
export interface Run {
  readonly folder: string;
  readonly record: RunRecord;
  /** True when an earlier process began it. */
  readonly isResumed: boolean;
  readonly stages: StageStore;
  readonly stopwatch: Stopwatch;
  /**
   * Writes the results, each atomically and metrics.json last, and removes the state: the run is done.
   * Names may hold one folder, as in `mappings/conv1.yaml`.
   */
  finish(files: ReadonlyMap<string, FileContents>): Promise<void>;
  /**
   * Gives the folder back. What is in it stays, to be resumed; but a run that failed before it had done anything is
   * removed. Gives whether it stays.
   */
  close(outcome: "kept" | "failed"): Promise<boolean>;
}

export interface BeginOptions {
  /** The folder that the user named. */
  readonly folder?: string | undefined;
  /** Else the folder is `runs/NAME`, or with the first free number behind it. */
  readonly name: string;
  readonly record: RunRecord;
  /** Files to begin with, by their names in the run folder: what the run was asked for. */
  readonly files: ReadonlyMap<string, string | Uint8Array>;
}

/**
 * Begins a run, or goes on with the same one where the folder holds it unfinished. Throws `run_exists`, `run_differs`,
 * `folder_in_use` (input errors), `run_in_use` (environment error), and the errors of `writeFileAtomically`.
 */
export async function beginRun(options: BeginOptions): Promise<Run> {
  const { folder, isNew } = await makeFolder(options);
  const lock = await acquireLock(folder);
  try {
    if (await isPresent(join(folder, runFiles.metrics))) {
      throw inputError("run_exists", "a finished run lies in this folder already", {
        file: folder,
        hint: `choose another folder; \`dovetail run show ${folder}\` shows what is in this one`,
      });
    }
    const record = await readRunRecord(folder);
    if (record) {
      await requireSame(folder, record, options);
      return await openRun(folder, record, lock, undefined);
    }
    await requireNothingElse(folder);
    const remove = async (): Promise<void> => {
      for (const name of [...options.files.keys(), runFiles.state]) await rm(join(folder, name), removal);
      if (isNew) await rm(folder, removal);
    };
    try {
      for (const [name, contents] of options.files) await writeFileAtomically(join(folder, name), contents);
      await writeRunRecord(folder, options.record);
    } catch (error) {
      await remove();
      throw error;
    }
    return await openRun(folder, options.record, lock, remove);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

const removal = { recursive: true, force: true } as const;

/**
 * Takes up a run that was interrupted. Gives undefined where it is done already. Throws the input error `run_missing`,
 * and `run_in_use` while another process works on it.
 */
export async function resumeRun(folder: string): Promise<Run | undefined> {
  const isDone = await isPresent(join(folder, runFiles.metrics));
  const record = await readRunRecord(folder);
  if (!record && !isDone) {
    throw inputError("run_missing", "no run was begun in this folder", {
      file: folder,
      expected: "a run folder, made by `dovetail search` or `dovetail train`",
    });
  }
  // A run folder that is handed on may lie where nothing can be written.
  if (!record) return undefined;
  const lock = await acquireLock(folder);
  if (isDone) {
    await clean(folder);
    await lock.release();
    return undefined;
  }
  try {
    return await openRun(folder, record, lock, undefined);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function makeFolder(options: BeginOptions): Promise<{ folder: string; isNew: boolean }> {
  const parent = options.folder === undefined ? "runs" : join(options.folder, "..");
  try {
    await mkdir(parent, { recursive: true });
    if (options.folder !== undefined) return { folder: options.folder, isNew: await makeNewFolder(options.folder) };
    for (let number = 1; ; number++) {
      const folder = join("runs", number === 1 ? options.name : `${options.name}-${number}`);
      if (await makeNewFolder(folder)) return { folder, isNew: true };
    }
  } catch (error) {
    throw writeError(options.folder ?? "runs", error);
  }
}

async function requireSame(folder: string, record: RunRecord, options: BeginOptions): Promise<void> {
  let differs = record.kind !== options.record.kind ? "the kind of run" : undefined;
  if (record.provider !== options.record.provider) differs ??= "the provider";
  for (const [name, contents] of options.files) {
    const there = await readFileIfPresent(join(folder, name), 2 ** 31);
    if (!there || digestOfBytes(there) !== digestOfBytes(contents)) differs ??= name;
  }
  if (differs === undefined) return;
  throw inputError("run_differs", `another, unfinished run lies in this folder (${differs} differs)`, {
    file: folder,
    hint: `choose another folder, or go on with that one: dovetail run resume ${folder}`,
  });
}

async function requireNothingElse(folder: string): Promise<void> {
  const foreign = (await readdir(folder)).find((name) => !isRunFile(name));
  if (foreign === undefined) return;
  throw inputError("folder_in_use", "the folder holds files that belong to no run", {
    file: folder,
    expected: "a new or an empty folder",
    received: foreign,
  });
}

async function openRun(
  folder: string,
  record: RunRecord,
  lock: RunLock,
  /** Removes a run that has just begun; undefined for one that is taken up. */
  remove: (() => Promise<void>) | undefined,
): Promise<Run> {
  await removeTemporaryFiles(folder);
  const stopwatch = await startStopwatch(folder);
  let hasSaved = remove === undefined;
  return {
    folder,
    record,
    isResumed: remove === undefined,
    stopwatch,
    stages: {
      load: (name) => readCheckpoint(stateFolder(folder), name),
      save: async (name, checkpoint) => {
        await writeCheckpoint(stateFolder(folder), name, checkpoint);
        await stopwatch.save();
        hasSaved = true;
      },
    },
    finish: async (files) => {
      const last = [...files].sort(([a], [b]) => Number(a === runFiles.metrics) - Number(b === runFiles.metrics));
      for (const [name, contents] of last) await writeFileAtomically(join(folder, name), contents);
      await clean(folder);
    },
    close: async (outcome) => {
      const isKept = outcome === "kept" || hasSaved;
      if (!isKept) await remove?.();
      await lock.release();
      return isKept;
    },
  };
}

/** Removes what only a run under way has. */
async function clean(folder: string): Promise<void> {
  await removeTemporaryFiles(folder);
  await rm(stateFolder(folder), removal);
}

async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const place of [folder, join(folder, runFiles.mappings)]) {
    for (const name of await readdir(place).catch(() => [])) {
      if (isTemporaryName(name)) await rm(join(place, name), { force: true });
    }
  }
}

/** Says so where the versions are no longer those with which the run began: its bits may differ then. */
export function warnOfVersions(record: RunRecord, current: RunRecord["versions"], log: Log): void {
  for (const name of ["dovetail", "node", "onnxruntime"] as const) {
    if (record.versions[name] === current[name]) continue;
    log.warn(`the run was begun with ${name} ${record.versions[name]}, and goes on with ${current[name]}`);
  }
}
