import { constants } from "node:fs";
import { access, readdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { inputError } from "@dovetail/core";

/**
 * Before long work: that a folder can be written, and holds nothing of others, which is not replaced. A folder with a file
 * for which `isOwn` says yes was written by the same command. Throws the input error `output_folder`.
 */
export async function requireWritable(folder: string, isOwn: (name: string) => boolean): Promise<void> {
  if (folder === "") throw unusable(folder, "a folder's name", "an empty one");
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw unusable(folder, "a folder, or nothing of this name", error.code === "ENOTDIR" ? "a file" : `${error.code}`);
  });
  if (names !== undefined && names.length > 0 && !names.some(isOwn)) {
    throw unusable(folder, "a new or empty folder, or one of an earlier result", "a folder with other files");
  }
  await requireAccess(folder, names === undefined ? dirname(resolve(folder)) : folder);
}

/** The nearest folder that is there must take new files. */
async function requireAccess(folder: string, nearest: string): Promise<void> {
  try {
    await access(nearest, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const above = dirname(nearest);
    if (code === "ENOENT" && above !== nearest) return requireAccess(folder, above);
    throw unusable(folder, "a folder that can be written", `${code}`);
  }
}

const unusable = (folder: string, expected: string, received: string) =>
  inputError("output_folder", "cannot write here", { file: folder, path: ["--output"], expected, received });
