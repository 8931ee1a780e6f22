import type { FpgaResources } from "./model.js";

/** A design that no other design of the chunk equals or beats in cycles, DSP and BRAM together. */
export interface FrontPoint extends FpgaResources {
  readonly cycles: number;
  /** Position in the model's candidates. */
  readonly designIndex: number;
}

/** Candidates grouped by what they take, ascending in DSP, then BRAM. */
export interface ResourceClasses {
  readonly classOfDesign: Int32Array;
  readonly dsp: Float64Array;
  readonly bram: Float64Array;
}

/** Groups designs of equal DSP and BRAM. */
export function classifyResources(resources: readonly FpgaResources[]): ResourceClasses {
  const order = Int32Array.from(resources.keys());
  order.sort((a, b) => resources[a]!.dsp - resources[b]!.dsp || resources[a]!.bram - resources[b]!.bram);
  const classOfDesign = new Int32Array(resources.length);
  const distinct: FpgaResources[] = [];
  for (const design of order) {
    const entry = resources[design]!;
    const last = distinct.at(-1);
    if (last === undefined || last.dsp !== entry.dsp || last.bram !== entry.bram) distinct.push(entry);
    classOfDesign[design] = distinct.length - 1;
  }
  return {
    classOfDesign,
    dsp: Float64Array.from(distinct, (entry) => entry.dsp),
    bram: Float64Array.from(distinct, (entry) => entry.bram),
  };
}

/** The Pareto front over (cycles, DSP, BRAM), fewest DSP first; among equals the first design counts. */
export function paretoFront(cycles: Float64Array, classes: ResourceClasses): FrontPoint[] {
  const { classOfDesign, dsp, bram } = classes;
  const least = new Float64Array(dsp.length).fill(Number.POSITIVE_INFINITY);
  const best = new Int32Array(dsp.length);
  for (let design = 0; design < cycles.length; design++) {
    const group = classOfDesign[design]!;
    if (cycles[design]! < least[group]!) {
      least[group] = cycles[design]!;
      best[group] = design;
    }
  }
  const front: FrontPoint[] = [];
  for (let group = 0; group < dsp.length; group++) {
    const value = least[group]!;
    // Classes come in order of DSP, so only cycles and BRAM can still tell an earlier point apart.
    if (front.some((point) => point.cycles <= value && point.bram <= bram[group]!)) continue;
    front.push({ cycles: value, dsp: dsp[group]!, bram: bram[group]!, designIndex: best[group]! });
  }
  return front;
}
