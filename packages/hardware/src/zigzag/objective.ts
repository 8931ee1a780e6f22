/** What a search makes small. */
export type ZigZagObjective = "latency" | "energy" | "edp";

/** The two figures that mappings are compared by. */
export interface ZigZagScore {
  readonly latencyCycles: number;
  readonly energyPj: number;
}

/** Negative where the first mapping is better. Of two equal in the objective the other figure decides. */
export type CompareScores = (left: ZigZagScore, right: ZigZagScore) => number;

export const comparisons: Readonly<Record<ZigZagObjective, CompareScores>> = {
  latency: (left, right) => left.latencyCycles - right.latencyCycles || left.energyPj - right.energyPj,
  energy: (left, right) => left.energyPj - right.energyPj || left.latencyCycles - right.latencyCycles,
  edp: (left, right) => left.energyPj * left.latencyCycles - right.energyPj * right.latencyCycles,
};
