// What FracTrain's reproduction found, read from its pieces.
import type { Experiment } from "./experiment.js";
import { type PieceFigures, pieceFiguresSchema, pieceName } from "./pieces.js";

export interface Results {
  readonly experiment: Experiment;
  readonly figures: (piece: string) => PieceFigures;
  readonly scratch: (method: string, seed: number) => PieceFigures;
  /** The static network of equal cost that did best on the test images: that favours it. */
  readonly bestEqual: (seed: number) => PieceFigures;
}

export function readResults(experiment: Experiment, kept: ReadonlyMap<string, unknown>): Results {
  const figures = (piece: string): PieceFigures => pieceFiguresSchema.parse(kept.get(piece));
  return {
    experiment,
    figures,
    scratch: (method, seed) => figures(pieceName.scratch(method, seed)),
    bestEqual: (seed) =>
      Array.from({ length: experiment.equalStatics }, (_, index) => figures(pieceName.equal(index, seed))).reduce(
        (best, next) => (next.accuracyFraction > best.accuracyFraction ? next : best),
      ),
  };
}

/** What the modelled figures are of: the array that systems.md §6 describes, and the published one. */
export const arrays = [
  { key: "twoInOne", name: "2-in-1's" },
  { key: "bitFusion", name: "Bit Fusion's" },
] as const;
