import type { Runtime } from "@dovetail/runtime";
import type { Checkpoint, ImageDataset, Json } from "@dovetail/train";
import type { Piece } from "../reproduction/reproduction.js";

/** Runs pieces in their order on one data set, in memory, and gives their results as JSON would. */
export async function runPieces(
  pieces: readonly Piece[],
  runtime: Runtime,
  dataset: ImageDataset,
): Promise<Map<string, Json>> {
  const results = new Map<string, Json>();
  const kept = new Map<string, Checkpoint>();
  for (const piece of pieces) {
    let saved: Checkpoint | undefined;
    const result = await piece.run({
      runtime,
      dataset: async () => dataset,
      result: (name) => results.get(name)!,
      kept: async (name) => kept.get(name)!,
      keep: async (name, checkpoint) => void kept.set(name, checkpoint),
      checkpoint: {
        load: async () => saved,
        save: async (checkpoint) => {
          saved = checkpoint;
        },
      },
      watch: {},
    });
    results.set(piece.name, JSON.parse(JSON.stringify(result)) as Json);
  }
  return results;
}
