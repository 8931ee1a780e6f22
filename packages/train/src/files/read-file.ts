import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, readdir, readFile, stat } from "node:fs/promises";
import { environmentError, inputError } from "@dovetail/core";

/**
 * Reads a whole file. Throws `file_missing`, `file_too_large` (more than `maximumBytes`), `is_a_folder` (input errors),
 * `not_readable` (environment error).
 */
export async function readWholeFile(path: string, maximumBytes: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maximumBytes) {
      throw inputError("file_too_large", "file is too large", {
        file: path,
        expected: `at most ${maximumBytes} bytes`,
        received: `${size}`,
      });
    }
    return await readFile(path);
  } catch (error) {
    throw readError(path, error);
  }
}

/** As `readWholeFile`, but gives undefined where there is no such file. */
export async function readFileIfPresent(path: string, maximumBytes: number): Promise<Uint8Array | undefined> {
  return (await isPresent(path)) ? readWholeFile(path, maximumBytes) : undefined;
}

/** Whether a file or folder is there. */
export async function isPresent(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The names of the files and of the folders in a folder, sorted by code unit; hidden ones (leading dot) are left out. */
export async function listFolder(path: string): Promise<{ files: string[]; folders: string[] }> {
  try {
    const entries = (await readdir(path, { withFileTypes: true })).filter((entry) => !entry.name.startsWith("."));
    const files: string[] = [];
    const folders: string[] = [];
    for (const entry of entries) {
      const kind = entry.isSymbolicLink() ? await stat(`${path}/${entry.name}`) : entry;
      if (kind.isDirectory()) folders.push(entry.name);
      else if (kind.isFile()) files.push(entry.name);
    }
    return { files: files.sort(), folders: folders.sort() };
  } catch (error) {
    throw readError(path, error);
  }
}

/** The sha256 of a file, in hexadecimal, read in pieces. Throws as `readWholeFile` does. */
export async function digestOfFile(path: string, algorithm: "sha256" | "md5" = "sha256"): Promise<string> {
  const hash = createHash(algorithm);
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece as Uint8Array);
  } catch (error) {
    throw readError(path, error);
  }
  return hash.digest("hex");
}

/** The sha256 of pieces of memory, one after the other, in hexadecimal. */
export function digestOfBytes(...pieces: readonly (Uint8Array | string)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** The Dovetail error for a failed read of `path`. Other errors are given back as they are. */
export function readError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (typeof code !== "string" || !/^E[A-Z]+$/.test(code)) return error;
  if (code === "ENOENT") return inputError("file_missing", "no such file or folder", { file: path });
  if (code === "ENOTDIR")
    return inputError("not_a_folder", "a part of the path is a file, not a folder", { file: path });
  if (code === "EISDIR") return inputError("is_a_folder", "this is a folder, not a file", { file: path });
  return environmentError("not_readable", "cannot read", { file: path, received: code });
}
