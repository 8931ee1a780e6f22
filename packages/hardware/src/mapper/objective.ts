/** What a mapping is chosen for: energy · latency, energy, or latency. */
export type Objective = "edp" | "energy" | "latency";

/**
 * Figures of merit, the smaller the better: pJ · cycles, pJ, or cycles. Many mappings share the least latency; a fraction
 * of a cycle that grows with energy tells them apart.
 */
export const objectives: Readonly<Record<Objective, (energyPj: number, latencyCycles: number) => number>> = {
  edp: (energyPj, latencyCycles) => energyPj * latencyCycles,
  energy: (energyPj) => energyPj,
  latency: (energyPj, latencyCycles) => latencyCycles + energyPj / (energyPj + 1e9),
};
