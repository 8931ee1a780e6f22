import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { environmentError } from "@dovetail/core";

let writes = 0;

/**
 * Writes a file so that at any moment, even after a crash or a power cut, `path` holds either its previous contents or
 * all of the new ones: a temporary file in the same folder, fsync, rename, fsync of the folder. The folder is made when
 * it is missing. `contents` may be a list of pieces, which are written one after the other without joining them.
 *
 * Throws environment errors: `disk_full`, `not_writable` (no permission, or a read-only file system), `not_a_folder`,
 * `is_a_folder`, `write_failed`. The temporary file is removed then.
 */
export async function writeFileAtomically(
  path: string,
  contents: string | Uint8Array | readonly Uint8Array[],
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, temporaryName(basename(path)));
  try {
    await mkdir(folder, { recursive: true });
    await writeAndSync(temporary, piecesOf(contents));
    await rename(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(path, error);
  }
}

/** The name of the file that a temporary file was to become, or undefined for any other name. */
export function temporaryTarget(name: string): string | undefined {
  return /^\.(.+)\.\d+-\d+\.tmp$/.exec(name)?.[1];
}

/** The environment error for a failed write or removal of `path`: see `writeFileAtomically`. */
export function writeError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  const rule = code === undefined ? undefined : failures[code];
  if (rule) return environmentError(rule.code, rule.message, { file: path, received: code, hint: rule.hint });
  if (code === undefined) return error;
  return environmentError("write_failed", "cannot write", { file: path, received: code });
}

const full = { code: "disk_full", message: "no space left to write", hint: "free some space, then run it again" };
const forbidden = { code: "not_writable", message: "cannot write here", hint: "check the owner and the permissions" };
const failures: Readonly<Record<string, { code: string; message: string; hint?: string }>> = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: { ...full, message: "file larger than the system allows" },
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: { ...forbidden, message: "file system is read-only" },
  ENOTDIR: { code: "not_a_folder", message: "a part of the path is a file, not a folder" },
  EEXIST: { code: "not_a_folder", message: "a part of the path is a file, not a folder" },
  EISDIR: { code: "is_a_folder", message: "there is a folder of this name" },
  ENOTEMPTY: { code: "is_a_folder", message: "there is a folder of this name" },
};

function temporaryName(name: string): string {
  writes += 1;
  return `.${name}.${process.pid}-${writes}.tmp`;
}

function piecesOf(contents: string | Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  if (typeof contents === "string") return [Buffer.from(contents, "utf8")];
  return contents instanceof Uint8Array ? [contents] : contents;
}

async function writeAndSync(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const handle = await open(path, "w");
  try {
    for (const piece of pieces) await writeAll(handle, piece);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  let written = 0;
  while (written < piece.length) {
    const { bytesWritten } = await handle.write(piece, written, piece.length - written);
    written += bytesWritten;
  }
}

/** Makes the rename itself durable. Some systems (Windows) cannot open folders; there the rename is all there is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  if (!handle) return;
  try {
    await handle.sync();
  } catch (error) {
    if (!["EPERM", "EINVAL", "EISDIR", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await handle.close();
  }
}
