import { setTimeout as sleep } from "node:timers/promises";
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
  /** How often to look whether another process has finished; 5,000 by default. */
  readonly millisecondsBetweenLooks?: number | undefined;
}

/**
 * Runs the pieces that have no result yet, in order, and gives the results of all. A piece that another process is at, or
 * that needs one of those, is left until it can be read or run. Throws the signal's reason.
 */
export async function runPieces(options: RunPiecesOptions): Promise<Map<string, PieceResult>> {
  const { pieces, watch } = options;
  const state: State = { results: new Map(), postponed: new Map() };
  const { results } = state;
  let waitingFor: string | undefined;
  while (results.size < pieces.length) {
    if (await runNextPiece(options, state)) continue;
    const { name } = pieces.find((piece) => !results.has(piece.name))!;
    if (name !== waitingFor) {
      const lock = options.folder.lockOf(name);
      watch.log.info(`waiting for another process, which is at ${name} (if its machine is gone, remove ${lock}) …`);
    }
    waitingFor = name;
    await sleep(options.millisecondsBetweenLooks ?? 5000, undefined, { signal: watch.signal }).catch(() => undefined);
    watch.signal.throwIfAborted();
  }
  return new Map(pieces.map(({ name }) => [name, results.get(name)!]));
}

interface State {
  readonly results: Map<string, PieceResult>;
  /** Pieces that were not ready, with the number of results at that time: before there are more, nothing changes. */
  readonly postponed: Map<string, number>;
}

/** Reads all results that are there, then runs the first piece that can be run here; false where neither gave any. */
async function runNextPiece(options: RunPiecesOptions, state: State): Promise<boolean> {
  const { pieces, watch } = options;
  const { results, postponed } = state;
  // All of them first, so that the progress of the piece that is run counts them.
  const isAnyNew = await readResults(options, results);
  for (const piece of pieces) {
    watch.signal.throwIfAborted();
    if (results.has(piece.name) || postponed.get(piece.name) === results.size) continue;
    const found = await runIfFree(options, piece, state);
    if (!found) continue;
    results.set(piece.name, found);
    return true;
  }
  return isAnyNew;
}

async function readResults({ pieces, folder }: RunPiecesOptions, results: State["results"]): Promise<boolean> {
  const before = results.size;
  for (const { name } of pieces) {
    const there = results.has(name) ? undefined : await folder.readPiece(name);
    if (there) results.set(name, there);
  }
  return results.size > before;
}

/** Undefined where another process has the piece, or one that it needs. */
async function runIfFree(
  options: RunPiecesOptions,
  piece: Piece,
  { results, postponed }: State,
): Promise<PieceResult | undefined> {
  const { folder, commit, watch } = options;
  const lock = await folder.claimPiece(piece.name);
  if (!lock) return undefined;
  try {
    // Another process may have finished it just before it let go.
    const there = await folder.readPiece(piece.name);
    if (there) return there;
    const found = { commit, result: await runPiece(options, piece, results) };
    await folder.writePiece(piece.name, found);
    await folder.removeTensors(checkpointName(piece));
    return found;
  } catch (error) {
    if (!(error instanceof NotReady)) throw error;
    watch.log.info(`${piece.name} needs ${error.message}: another process is at that`);
    postponed.set(piece.name, results.size);
    return undefined;
  } finally {
    await lock.release();
  }
}

/** A piece asks for something of a piece before it that another process is at. */
class NotReady extends Error {}

const workOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { work }) => sum + work, 0);

const checkpointName = ({ name }: Piece): string => `checkpoint.${name}`;

async function runPiece(
  options: RunPiecesOptions,
  piece: Piece,
  results: ReadonlyMap<string, PieceResult>,
): Promise<PieceResult["result"]> {
  const { pieces, folder, runtime, loadDataset, watch, system } = options;
  const total = workOf(pieces);
  const done = workOf(pieces.filter(({ name }) => results.has(name)));
  const share = (event: ProgressEvent): number => (piece.work * event.done) / Math.max(1, event.total);
  // All pieces are one task, so that the time left is that of the whole.
  const show = (fraction: number, figures?: ProgressEvent["figures"]): void =>
    watch.onProgress({
      task: `reproduce ${system}`,
      done: Math.round(done + fraction),
      total: Math.round(total),
      unit: "units of work",
      figures,
    });
  watch.log.info(`${piece.name} …`);
  show(0);
  const absent = (what: string): Error => {
    const before = pieces.slice(0, pieces.indexOf(piece));
    if (before.some(({ name }) => !results.has(name))) return new NotReady(what);
    return internalError("piece_order", `piece "${piece.name}" asks for ${what}, which no piece before it gives`);
  };
  const context: PieceContext = {
    runtime,
    dataset: loadDataset,
    result: (name) => {
      const found = results.get(name);
      if (found) return found.result;
      throw absent(`the result of ${name}`);
    },
    kept: async (name) => {
      const tensors = await folder.readTensors(`kept.${name}`);
      if (tensors) return tensors;
      throw absent(`the tensors ${name}`);
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
