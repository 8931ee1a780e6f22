/** What a mapping is chosen for: energy · latency, energy, or latency. The smaller the better. */
export type Objective = "edp" | "energy" | "latency";

/** pJ · cycles, pJ, or cycles. Mappings of equal latency are told apart by energy, and the other way round, by a hair. */
export const objectives: Readonly<Record<Objective, (energyPj: number, latencyCycles: number) => number>> = {
  edp: (energyPj, latencyCycles) => energyPj * latencyCycles,
  energy: (energyPj) => energyPj,
  latency: (_, latencyCycles) => latencyCycles,
};
