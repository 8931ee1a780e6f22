// What a system gives to `dovetail reproduce`: its experiment as pieces, and what follows from their results.

import type { Watch } from "@dovetail/core";
import type { Runtime } from "@dovetail/runtime";
import type { Checkpoint, DatasetDescriptionInput, ImageDataset } from "@dovetail/train";
import type { Conclusion, Scale } from "./card.js";

/** Where an interrupted piece goes on: what it saved last. */
export interface PieceCheckpoint {
  readonly load: () => Promise<Checkpoint | undefined>;
  readonly save: (checkpoint: Checkpoint) => Promise<void>;
}

/** What a piece works with. */
export interface PieceContext {
  readonly runtime: Runtime;
  /** Loads a data set, once for all pieces that ask for the same. */
  dataset(description: DatasetDescriptionInput): Promise<ImageDataset>;
  /** The result of an earlier piece. Throws when no earlier piece has this name. */
  result(piece: string): unknown;
  /** Tensors that an earlier piece kept by this name. Throws when there are none. */
  kept(name: string): Promise<Checkpoint>;
  /** Keeps tensors for later pieces. */
  keep(name: string, checkpoint: Checkpoint): Promise<void>;
  /** Gone when the piece is done. */
  readonly checkpoint: PieceCheckpoint;
  /** Progress of this piece: `done` of `total` is its share of `work`. */
  readonly watch: Watch;
}

/** A part of the experiment that is done at once or not at all; its result is stored as soon as it is there. */
export interface Piece {
  /** Letters, digits, dots, dashes; names the result's file. */
  readonly name: string;
  /** Expected effort, in any unit that the pieces of a reproduction share. */
  readonly work: number;
  /** Its result is anything that JSON holds; it comes back as JSON gives it, so check it by a schema. */
  run(context: PieceContext): Promise<unknown>;
}

/** A system's reproduction. Its pieces run in their order; each may read the results of those before. */
export interface Reproduction {
  readonly system: string;
  readonly title: string;
  /** By scale: what it runs, in a sentence, and the seeds. */
  readonly scales: Readonly<Record<Scale, { readonly summary: string; readonly seeds: readonly number[] }>>;
  pieces(scale: Scale): readonly Piece[];
  /** What follows from the results of all pieces. */
  conclude(scale: Scale, results: ReadonlyMap<string, unknown>): Conclusion;
}
