import { DovetailError, internalError, type ProgressEvent } from "@dovetail/core";
import type { Runtime } from "@dovetail/runtime";
import type { Piece, PieceContext } from "@dovetail/systems";
import type { DatasetDescriptionInput, ImageDataset } from "@dovetail/train";
import type { CommandWatch } from "../terminal/command-io.js";
import type { PieceResult, ReproductionFolder } from "./folder.js";

export interface RunPiecesOptions {
  readonly system: string;
  readonly pieces: readonly Piece[];
  readonly folder: ReproductionFolder;
  readonly runtime: Runtime;
  readonly loadDataset: (description: DatasetDescriptionInput) => Promise<ImageDataset>;
  readonly commit: string;
  readonly watch: CommandWatch;
}

/** Runs the pieces that have no result yet, in order, and gives the results of all. Throws the signal's reason. */
export async function runPieces(options: RunPiecesOptions): Promise<Map<string, PieceResult>> {
  const { pieces, folder, commit, watch } = options;
  const results = new Map<string, PieceResult>();
  const total = pieces.reduce((sum, { work }) => sum + work, 0);
  let done = 0;
  for (const piece of pieces) {
    watch.signal.throwIfAborted();
    const before = await folder.readPiece(piece.name);
    const found = before ?? { commit, result: await runPiece(options, piece, results, { done, total }) };
    if (!before) {
      await folder.writePiece(piece.name, found);
      await folder.removeTensors(checkpointName(piece));
    }
    results.set(piece.name, found);
    done += piece.work;
  }
  return results;
}

const checkpointName = ({ name }: Piece): string => `checkpoint.${name}`;

async function runPiece(
  options: RunPiecesOptions,
  piece: Piece,
  results: ReadonlyMap<string, PieceResult>,
  progress: { readonly done: number; readonly total: number },
): Promise<PieceResult["result"]> {
  const { folder, runtime, loadDataset, watch, system } = options;
  const share = (event: ProgressEvent): number => (piece.work * event.done) / Math.max(1, event.total);
  // All pieces are one task, so that the time left is that of the whole.
  const show = (fraction: number, figures?: ProgressEvent["figures"]): void =>
    watch.onProgress({
      task: `reproduce ${system}`,
      done: Math.round(progress.done + fraction),
      total: Math.round(progress.total),
      unit: "units of work",
      figures,
    });
  watch.log.info(`${piece.name} …`);
  show(0);
  const context: PieceContext = {
    runtime,
    dataset: loadDataset,
    result: (name) => {
      const found = results.get(name);
      if (found) return found.result;
      throw internalError("piece_order", `piece "${piece.name}" asks for "${name}", which has not run before it`);
    },
    kept: async (name) => {
      const tensors = await folder.readTensors(`kept.${name}`);
      if (tensors) return tensors;
      throw internalError("piece_order", `piece "${piece.name}" asks for the tensors "${name}", which nobody kept`);
    },
    keep: (name, checkpoint) => folder.writeTensors(`kept.${name}`, checkpoint),
    checkpoint: {
      load: () => folder.readTensors(checkpointName(piece)),
      save: (checkpoint) => folder.writeTensors(checkpointName(piece), checkpoint),
    },
    watch: { ...watch, onProgress: (event) => show(share(event), event.figures) },
  };
  try {
    return JSON.parse(JSON.stringify(await piece.run(context))) as PieceResult["result"];
  } catch (error) {
    if (error instanceof DovetailError) watch.log.warn(`piece "${piece.name}" failed`);
    throw error;
  }
}
