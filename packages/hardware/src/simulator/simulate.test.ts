import { describe, expect, it } from "vitest";
import { readArchitecture } from "../architecture/architecture.js";
import { parseMapping } from "../mapping/loopnest.js";
import { readProblem } from "../workload/problem.js";
import { simulateMapping } from "./simulate.js";

// By hand: so small that every transfer can be drawn. Words of 8 bits, one of them a cycle through each port of the DRAM.

const problem = (size: number) =>
  readProblem(`
name: copy
dimensions: { P: ${size} }
dataSpaces:
  - { name: Inputs, projection: [P] }
  - { name: Outputs, projection: [P], readWrite: true }
`);

const architecture = (ports: string) =>
  readArchitecture(`
name: two
levels:
  - { name: DRAM, storage: { widthBits: 8, readPj: 1, writePj: 1, ${ports} } }
  - { name: buffer, storage: { widthBits: 8, readPj: 1, writePj: 1 } }
compute: { energyPj: 1 }
`);

const twoPorts = architecture("readBitsPerCycle: 8, writeBitsPerCycle: 8");
const onePort = architecture("sharedBitsPerCycle: 8");

const nest = (kept: string) =>
  parseMapping(`
DRAM keeps Inputs, Outputs
for P in 0..2
buffer keeps ${kept}
for P in 0..2`);

describe("the simulator", () => {
  it("loads a tile while the last one is in use, and stores what is complete", () => {
    // Loads 0–2 and 2–4, cycles 2–4 and 4–6, stores 4–6 and 6–8.
    const { cycles, computeCycles, traffic } = simulateMapping(problem(4), twoPorts, nest("Inputs, Outputs"));
    expect({ cycles, computeCycles }).toEqual({ cycles: 8, computeCycles: 4 });
    expect(traffic).toEqual([
      [
        { reads: 4, fills: 0, updates: 0 },
        { reads: 0, fills: 0, updates: 4 },
      ],
      [
        { reads: 4, fills: 4, updates: 0 },
        { reads: 0, fills: 0, updates: 4 },
      ],
    ]);
  });

  it("leaves out what lies beyond the layer", () => {
    // Loads 0–2 and 2–3, cycles 2–4 and 4–5, stores 4–6 and 6–7.
    const { cycles, computeCycles, macs } = simulateMapping(problem(3), twoPorts, nest("Inputs, Outputs"));
    expect({ cycles, computeCycles, macs }).toEqual({ cycles: 7, computeCycles: 3, macs: 3 });
  });

  it("uses the gaps of a port for what comes later in the program", () => {
    // Results go to the DRAM in each cycle. Load 0–2, cycle 2–3, store 3–4, cycle 3–4; the second tile, wanted from 2 on,
    // comes in 2–3 and 4–5; cycle 5–6, stores 5–6 and 6–7, cycle 6–7, store 7–8.
    expect(simulateMapping(problem(4), onePort, nest("Inputs")).cycles).toBe(8);
  });

  it("refuses layers that would take too long", () => {
    expect(() => simulateMapping(problem(4), onePort, nest("Inputs"), { macLimit: 3 })).toThrow(/at most 3/);
  });
});
