import { closeSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { inputError, withPlace } from "@dovetail/core";
import { type ExternalDataSource, type Model, readModel, writeModel } from "@dovetail/graph";
import { isPresent, readWholeFile } from "@dovetail/train";
import { runFiles } from "../runs/layout.js";

/** Largest ONNX file that is read. */
const maximumBytes = 2 ** 31 - 1;

export interface NetworkFile {
  readonly path: string;
  readonly model: Model;
  /** The model as one file; the file's own bytes unless it keeps values in files beside it. */
  readonly bytes: Uint8Array;
}

/** The ONNX file that a path means: a run folder's network, or the path itself. Throws the input error `no_network`. */
export async function networkPath(path: string): Promise<string> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const inRun = join(path, runFiles.network);
  if (await isPresent(inRun)) return inRun;
  throw inputError("no_network", "there is no network in this folder", {
    file: path,
    expected: `an ONNX file, or the folder of a run that is done, with its ${runFiles.network}`,
  });
}

/**
 * Reads an ONNX file with the values that lie in files beside it. Throws the errors of `readModel` and of reading files,
 * with the file's name.
 */
export async function readNetwork(path: string): Promise<NetworkFile> {
  const bytes = await readWholeFile(path, maximumBytes);
  const outside = externalData(dirname(path));
  try {
    const model = readModel(bytes, { externalData: outside.source });
    return { path, model, bytes: outside.wasRead() ? writeModel(model) : bytes };
  } catch (error) {
    throw withPlace(await explained(error, bytes, path), { file: path });
  }
}

/** A packed network is no damaged ONNX file. */
async function explained(error: unknown, bytes: Uint8Array, path: string): Promise<unknown> {
  const { isPacked } = await import("@dovetail/compress");
  if (!isPacked(bytes)) return error;
  return inputError("packed_network", "this is a packed network", {
    expected: "an ONNX file",
    hint: `\`dovetail compress ${path} -o model.onnx\` rebuilds it`,
  });
}

/** Reads an ONNX file for its shapes: values that lie in files beside it may be missing. */
export async function readNetworkShapes(path: string): Promise<Model> {
  const bytes = await readWholeFile(path, maximumBytes);
  try {
    return readModel(bytes, { missingExternalData: "shape-only" });
  } catch (error) {
    throw withPlace(await explained(error, bytes, path), { file: path });
  }
}

function externalData(folder: string): { source: ExternalDataSource; wasRead: () => boolean } {
  let read = false;
  return {
    wasRead: () => read,
    source: (location, offset, length) => {
      read = true;
      return readPiece(join(folder, location), offset, length);
    },
  };
}

/** Undefined where there is no such file; fewer bytes where it is too short. */
function readPiece(path: string, offset: number, length: number): Uint8Array | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return undefined;
  const piece = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
  const file = openSync(path, "r");
  try {
    let done = 0;
    while (done < piece.length) {
      const count = readSync(file, piece, done, piece.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return piece.subarray(0, done);
  } finally {
    closeSync(file);
  }
}
