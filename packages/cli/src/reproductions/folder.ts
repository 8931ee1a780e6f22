// The folder of a reproduction under way: results of pieces, each written at once; tensors; the card at the end. Several
// processes may work in it, each at a piece of its own.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DovetailError, inputError } from "@dovetail/core";
import { type Scale, scaleSchema } from "@dovetail/systems";
import {
  type Checkpoint,
  isPresent,
  readCheckpoint,
  readFileIfPresent,
  removeCheckpoint,
  writeCheckpoint,
  writeError,
  writeFileAtomically,
} from "@dovetail/train";
import { z } from "zod";
import { isTemporaryName } from "../runs/layout.js";
import { acquireLock, type RunLock } from "../runs/lock.js";

const recordSchema = z.strictObject({
  format: z.literal("dovetail reproduction"),
  version: z.literal(1),
  system: z.string(),
  scale: scaleSchema,
});

const pieceSchema = z.strictObject({
  /** Of Dovetail's source, when the piece ran. */
  commit: z.string(),
  result: z.json(),
});

/** Result of a piece, and the source it was made with. */
export type PieceResult = z.output<typeof pieceSchema>;

/** Names of the files of a reproduction's folder that are there when it is done. */
export const cardFiles = { json: "card.json", markdown: "card.md" } as const;

const recordFile = "reproduction.json";
const largestFile = 2 ** 28;

export interface ReproductionFolder {
  readonly path: string;
  /** The folder with the lock of the process that is at a piece. */
  lockOf(name: string): string;
  /** Takes a piece for this process; undefined while another one that lives has it. */
  claimPiece(name: string): Promise<RunLock | undefined>;
  readPiece(name: string): Promise<PieceResult | undefined>;
  writePiece(name: string, piece: PieceResult): Promise<void>;
  readTensors(name: string): Promise<Checkpoint | undefined>;
  writeTensors(name: string, checkpoint: Checkpoint): Promise<void>;
  removeTensors(name: string): Promise<void>;
  write(name: string, text: string): Promise<void>;
}

export interface OpenReproductionOptions {
  readonly path: string;
  readonly system: string;
  readonly scale: Scale;
  /** Whether to go on with what lies there. */
  readonly resume: boolean;
}

/**
 * Opens the folder, beside other processes. Throws the input errors `reproduction_exists` where something was begun and
 * `resume` is not set and `no_reproduction` where nothing was and it is, `reproduction_differs` where another system or scale
 * was begun, and `folder_in_use` where files of others lie.
 */
export async function openReproduction(options: OpenReproductionOptions): Promise<ReproductionFolder> {
  const { path } = options;
  if (!options.resume) {
    await mkdir(path, { recursive: true }).catch((error: unknown) => {
      throw writeError(path, error);
    });
  }
  await beginOrGoOn(options);
  const pieceFile = (name: string): string => join(path, "pieces", `${name}.json`);
  const tensors = join(path, "tensors");
  const lockOf = (name: string): string => join(path, "locks", name);
  return {
    path,
    lockOf,
    claimPiece: (name) => claim(lockOf(name)),
    readPiece: async (name) => {
      const bytes = await readFileIfPresent(pieceFile(name), largestFile);
      return bytes && parseFile(pieceFile(name), bytes, pieceSchema);
    },
    writePiece: (name, piece) => writeFileAtomically(pieceFile(name), textOf(piece)),
    readTensors: (name) => readCheckpoint(tensors, name),
    writeTensors: (name, checkpoint) => writeCheckpoint(tensors, name, checkpoint),
    removeTensors: (name) => removeCheckpoint(tensors, name),
    write: (name, text) => writeFileAtomically(join(path, name), text),
  };
}

async function claim(folder: string): Promise<RunLock | undefined> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw writeError(folder, error);
  });
  return acquireLock(folder).catch((error: unknown) => {
    if (error instanceof DovetailError && error.diagnostics[0]?.code === "run_in_use") return undefined;
    throw error;
  });
}

async function beginOrGoOn({ path, system, scale, resume }: OpenReproductionOptions): Promise<void> {
  const file = join(path, recordFile);
  const bytes = await readFileIfPresent(file, largestFile);
  if (bytes === undefined) {
    if (resume) {
      throw inputError("no_reproduction", "there is nothing to go on with", {
        file: path,
        expected: "the folder of a reproduction that was begun",
        received: "none",
        hint: "begin it without --resume",
      });
    }
    const foreign = (await readdir(path)).find((name) => !isTemporaryName(name));
    if (foreign !== undefined) {
      throw inputError("folder_in_use", "the folder holds files that belong to no reproduction", {
        file: path,
        expected: "a new or an empty folder",
        received: foreign,
      });
    }
    await writeFileAtomically(file, textOf({ format: "dovetail reproduction", version: 1, system, scale }));
    return;
  }
  const there = parseFile(file, bytes, recordSchema);
  if (there.system !== system || there.scale !== scale) {
    throw inputError("reproduction_differs", "another reproduction was begun in this folder", {
      file: path,
      expected: `${system}, scale ${scale}`,
      received: `${there.system}, scale ${there.scale}`,
      hint: "choose another folder with --run-folder",
    });
  }
  if (resume) return;
  const isDone = await isPresent(join(path, cardFiles.json));
  throw inputError("reproduction_exists", isDone ? "this was done before" : "this was begun before", {
    file: path,
    hint: "go on with what is there by --resume, or choose another folder with --run-folder",
  });
}

function parseFile<T>(file: string, bytes: Uint8Array, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw inputError("reproduction_damaged", "a file of the reproduction is damaged", {
      file,
      hint: "remove the file: what it held is computed again",
    });
  }
}

function textOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
