import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { inputError, withPlace } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { z } from "zod";
import { temporaryTarget, writeError, writeFileAtomically } from "../files/atomic-file.js";
import { digestOfBytes, readFileIfPresent } from "../files/read-file.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

// A checkpoint is two files: NAME.json and the safetensors file that it names. The latter's name contains its hash, so
// a new one never overwrites the old one; replacing NAME.json (atomic) is the moment when the new checkpoint counts.

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a run needs to go on: weights and optimizer state as tensors, the rest (counters, random streams) as JSON. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly state: Json;
}

const sidecarSchema = z.strictObject({
  format: z.literal("dovetail checkpoint"),
  version: z.literal(1),
  tensors: z.strictObject({
    file: z.string().regex(/^[A-Za-z0-9._-]+\.safetensors$/),
    bytes: z.number().int().nonnegative(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
  state: z.json(),
  /** Of the two fields above, as compact JSON. */
  sha256: z.string(),
});

/** The state of a random stream inside a checkpoint's `state`, for callers' schemas. */
export const randomStreamStateSchema = z.strictObject({
  identity: z.tuple([z.number().int(), z.number().int()]),
  generator: z.array(z.number().int()).min(1).max(16),
});

const maximumSidecarBytes = 2 ** 26;
/** What one read of a file can give. */
const maximumTensorBytes = 2 ** 31 - 1;

/**
 * Writes checkpoint `name` into `folder`. A process killed at any moment leaves the previous checkpoint or the new one,
 * never a mix; what a killed process left behind is cleared by the next write. Throws the environment errors of
 * `writeFileAtomically`.
 */
export async function writeCheckpoint(folder: string, name: string, checkpoint: Checkpoint): Promise<void> {
  checkName(name);
  const pieces = encodeSafetensors(checkpoint.tensors);
  const sha256 = digestOfBytes(...pieces);
  const file = `${name}.${sha256.slice(0, 16)}.safetensors`;
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const contents = { tensors: { file, bytes, sha256 }, state: checkpoint.state };
  const sidecar = { format: "dovetail checkpoint", version: 1, ...contents, sha256: digestOfContents(contents) };
  await writeFileAtomically(join(folder, file), pieces);
  await writeFileAtomically(join(folder, `${name}.json`), `${JSON.stringify(sidecar, null, 1)}\n`);
  await removeFiles(folder, name, (candidate) => candidate !== file && candidate !== `${name}.json`);
}

/**
 * Reads checkpoint `name`, or gives undefined where there is none. Throws input errors `checkpoint_corrupt`,
 * `checkpoint_missing_tensors` and those of `decodeSafetensors`.
 */
export async function readCheckpoint(folder: string, name: string): Promise<Checkpoint | undefined> {
  checkName(name);
  const sidecarPath = join(folder, `${name}.json`);
  const text = await readFileIfPresent(sidecarPath, maximumSidecarBytes);
  if (text === undefined) return undefined;
  const sidecar = parseSidecar(text, sidecarPath);
  const path = join(folder, sidecar.tensors.file);
  const file = await readFileIfPresent(path, maximumTensorBytes);
  if (file === undefined) {
    throw inputError("checkpoint_missing_tensors", "the checkpoint's tensors are missing", {
      file: path,
      hint: `${name}.json refers to this file`,
    });
  }
  const sha256 = digestOfBytes(file);
  if (sha256 !== sidecar.tensors.sha256) {
    throw inputError("checkpoint_corrupt", "the checkpoint's tensors have changed since they were written", {
      file: path,
      expected: `sha256 ${sidecar.tensors.sha256}`,
      received: `${sha256} (${file.length} of ${sidecar.tensors.bytes} bytes)`,
    });
  }
  try {
    return { tensors: decodeSafetensors(file).tensors, state: sidecar.state as Json };
  } catch (error) {
    throw withPlace(error, { file: path });
  }
}

/** Removes checkpoint `name` and everything that writing it may have left. The sidecar goes first. */
export async function removeCheckpoint(folder: string, name: string): Promise<void> {
  checkName(name);
  const sidecarPath = join(folder, `${name}.json`);
  await rm(sidecarPath, { force: true }).catch((error: unknown) => {
    throw writeError(sidecarPath, error);
  });
  await removeFiles(folder, name, () => true);
}

/** Removes the tensor files and temporary files of checkpoint `name` that `unwanted` picks. */
async function removeFiles(folder: string, name: string, unwanted: (file: string) => boolean): Promise<void> {
  const tensorFile = new RegExp(`^${name.replaceAll(".", "\\.")}\\.[0-9a-f]{16}\\.safetensors$`);
  const isOurs = (candidate: string): boolean => {
    if (tensorFile.test(candidate)) return true;
    const target = temporaryTarget(candidate);
    return target !== undefined && (target === `${name}.json` || tensorFile.test(target));
  };
  for (const candidate of await readdir(folder).catch(() => [])) {
    if (!isOurs(candidate) || !unwanted(candidate)) continue;
    const path = join(folder, candidate);
    await rm(path, { force: true }).catch((error: unknown) => {
      throw writeError(path, error);
    });
  }
}

function parseSidecar(text: Uint8Array, file: string): z.infer<typeof sidecarSchema> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (error) {
    throw inputError("checkpoint_corrupt", `checkpoint description is not JSON (${(error as Error).message})`, {
      file,
    });
  }
  const parsed = sidecarSchema.safeParse(value);
  if (parsed.success && parsed.data.sha256 !== digestOfContents(parsed.data)) {
    throw inputError("checkpoint_corrupt", "checkpoint description has changed since it was written", { file });
  }
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw inputError("checkpoint_corrupt", `checkpoint description does not fit its format: ${issue.message}`, {
      file,
      path: issue.path.filter((step) => typeof step !== "symbol"),
    });
  }
  return parsed.data;
}

function digestOfContents({
  tensors,
  state,
}: Pick<z.infer<typeof sidecarSchema>, "tensors"> & { state: unknown }): string {
  const { file, bytes, sha256 } = tensors;
  return digestOfBytes(JSON.stringify([file, bytes, sha256, state]));
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw inputError("checkpoint_name", "unusable checkpoint name", {
      expected: "letters, digits, dots, dashes and underscores",
      received: JSON.stringify(name),
    });
  }
}
