import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MemoryOperand, ZigZagAccelerator, ZigZagMemory, ZigZagPort } from "./accelerator.js";
import { evaluateZigZag, type ZigZagCost, type ZigZagQuestion } from "./cost.js";
import { distinctPoints, layerMacs, type ZigZagLayer } from "./layer.js";
import type { ZigZagMappingEntry } from "./mapping.js";
import { comparisons } from "./objective.js";
import { mapZigZagLayer } from "./search.js";
import { unionOfWindows } from "./stalls.js";

/** A port for each direction of all operands, or one for everything. */
function portsOf(operands: readonly MemoryOperand[], bits: number, single: boolean): ZigZagPort[] {
  const transfers = operands.flatMap((operand) =>
    (["readToLow", "writeFromLow", "readToHigh", "writeFromHigh"] as const).map((move) => ({ operand, move })),
  );
  const port = (name: string, kind: ZigZagPort["kind"], part: typeof transfers): ZigZagPort => ({
    name,
    kind,
    minBitsPerCycle: 8,
    maxBitsPerCycle: bits,
    transfers: part,
  });
  if (single) return [port("rw", "readWrite", transfers)];
  return [
    port(
      "r",
      "read",
      transfers.filter(({ move }) => move.startsWith("read")),
    ),
    port(
      "w",
      "write",
      transfers.filter(({ move }) => move.startsWith("write")),
    ),
  ];
}

const width = fc.constantFrom(8, 16, 32, 64, 128, 256);
const cost = fc.double({ min: 0.01, max: 100, noNaN: true });

function memory(name: string, operands: readonly MemoryOperand[], sizes: readonly number[], served: readonly string[]) {
  return fc
    .record({ sizeBits: fc.constantFrom(...sizes), bits: width, single: fc.boolean(), readPj: cost, writePj: cost })
    .map(
      ({ sizeBits, bits, single, readPj, writePj }): ZigZagMemory => ({
        name,
        sizeBits,
        readPj,
        writePj,
        operands,
        ports: portsOf(operands, bits, single),
        servedDimensions: served,
      }),
    );
}

/** Registers at the units, a buffer of all three operands, and an outermost memory that holds everything. */
const accelerators: fc.Arbitrary<ZigZagAccelerator> = fc
  .record({
    weights: memory("weights", ["I2"], [64, 256, 1024], ["D2"]),
    outputs: memory("outputs", ["O"], [64, 256], []),
    buffer: memory("buffer", ["I1", "I2", "O"], [2 ** 14, 2 ** 17], ["D1", "D2"]),
    outermost: memory("outermost", ["I1", "I2", "O"], [2 ** 34], ["D1", "D2"]),
    unitEnergyPj: cost,
  })
  .map(({ unitEnergyPj, ...memories }) => ({
    name: "some",
    memories: Object.values(memories),
    array: {
      dimensions: [
        { name: "D1", size: 8 },
        { name: "D2", size: 4 },
      ],
      unitEnergyPj,
    },
  }));

const layers: fc.Arbitrary<ZigZagLayer> = fc
  .record({
    K: fc.integer({ min: 1, max: 20 }),
    C: fc.integer({ min: 1, max: 20 }),
    OX: fc.integer({ min: 1, max: 14 }),
    OY: fc.integer({ min: 1, max: 14 }),
    FX: fc.integer({ min: 1, max: 3 }),
    FY: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ stride, ...dimensions }): ZigZagLayer => {
    const relation = (rank: string, a: "OX" | "OY", b: "FX" | "FY") => ({
      rank,
      a: { dimension: a, coefficient: stride },
      b: { dimension: b, coefficient: 1 },
      size: distinctPoints(stride, dimensions[a], 1, dimensions[b]),
    });
    return {
      id: 0,
      name: "some",
      operator: "Conv",
      dimensions,
      output: { name: "O", ranks: ["K", "OY", "OX"], bits: 16, finalBits: 8 },
      inputs: [
        { name: "W", ranks: ["K", "C", "FY", "FX"], bits: 8 },
        { name: "I", ranks: ["C", "IY", "IX"], bits: 8 },
      ],
      relations: [relation("IX", "OX", "FX"), relation("IY", "OY", "FY")],
      sources: {},
    };
  });

const loopName = fc.constantFrom("K", "C", "OX", "OY");

const entries: fc.Arbitrary<ZigZagMappingEntry> = fc
  .record({ d1: fc.option(loopName, { nil: undefined }), d2: loopName })
  .map(({ d1, d2 }) => ({
    name: "default",
    spatial: { ...(d1 && { D1: [{ dimension: d1, factor: 8 }] }), D2: [{ dimension: d2, factor: 4 }] },
    spatialHints: {},
    order: { inner: [], outer: [] },
    links: { O: "O", W: "I2", I: "I1" },
  }));

const questions = fc.tuple(layers, accelerators, entries);
const quick = { factorLimit: 4, starts: 0 } as const;

/** The layer as mapped, to be asked again with other hardware. */
function mapped([layer, accelerator, entry]: [ZigZagLayer, ZigZagAccelerator, ZigZagMappingEntry]): {
  readonly cost: ZigZagCost;
  readonly question: ZigZagQuestion;
} {
  const { cost: found } = mapZigZagLayer(layer, accelerator, entry, quick);
  const { spatial, temporal } = found;
  return { cost: found, question: { layer, accelerator, links: entry.links, spatial, temporal } };
}

function withMemories({ accelerator, ...rest }: ZigZagQuestion, change: (memory: ZigZagMemory) => ZigZagMemory) {
  return evaluateZigZag({ ...rest, accelerator: { ...accelerator, memories: accelerator.memories.map(change) } });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe("a mapping that was found", () => {
  it("does every multiply-accumulate, in cycles that add up", () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const { cost: found } = mapped(asked);
        const [layer] = asked;
        expect(found.macs).toBe(layerMacs(layer));
        for (const [name, size] of Object.entries(layer.dimensions)) {
          const inTime = found.temporal.loops
            .filter(({ dimension }) => dimension === name)
            .reduce((product, { factor }) => product * factor, 1);
          const inSpace = Object.values(found.spatial)
            .flat()
            .filter(({ dimension }) => dimension === name)
            .reduce((product, { factor }) => product * factor, 1);
          expect(inTime).toBe(Math.ceil(size / inSpace));
        }
        for (const { levels } of found.operands) {
          expect(levels.flatMap(({ loops }) => loops)).toEqual(found.temporal.loops);
        }
        expect(found.stallCycles).toBeGreaterThanOrEqual(0);
        expect(found.onloadingCycles).toBeGreaterThanOrEqual(0);
        expect(found.temporalCycles).toBeGreaterThanOrEqual(found.idealCycles);
        expect(found.latencyCycles).toBeCloseTo(
          found.temporalCycles + found.stallCycles + found.onloadingCycles + found.offloadingCycles,
          6,
        );
        const memories = sum(found.operands.flatMap(({ levels }) => levels.map(({ energyPj }) => energyPj)));
        expect(found.energyPj).toBeCloseTo(memories + found.macEnergyPj, 3);
        const moves = found.operands.flatMap(({ levels }) => levels.flatMap((level) => level.moves));
        expect(sum(moves.map(({ energyPj }) => energyPj))).toBeCloseTo(found.memoryEnergyPj, 3);
      }),
      { numRuns: 150 },
    );
  });

  it("fits: no tile is larger than its memory, and tiles that share one fit together", () => {
    fc.assert(
      fc.property(questions, (asked) => {
        const { cost: found } = mapped(asked);
        const used = new Map<string, number>();
        for (const level of found.operands.flatMap(({ levels }) => levels)) {
          used.set(level.memory, (used.get(level.memory) ?? 0) + level.utilization);
        }
        for (const share of used.values()) expect(share).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 100 },
    );
  });

  it("costs more energy where reads do", () => {
    fc.assert(
      fc.property(questions, fc.double({ min: 1, max: 10, noNaN: true }), (asked, factor) => {
        const { cost: found, question } = mapped(asked);
        const dearer = withMemories(question, (each) => ({ ...each, readPj: each.readPj * factor }));
        expect(dearer.energyPj).toBeGreaterThanOrEqual(found.energyPj * (1 - 1e-12));
        expect(dearer.latencyCycles).toBe(found.latencyCycles);
      }),
      { numRuns: 100 },
    );
  });

  it("never waits longer where ports are wider", () => {
    fc.assert(
      fc.property(questions, fc.constantFrom(2, 4, 16), (asked, factor) => {
        const { cost: found, question } = mapped(asked);
        const wider = withMemories(question, (each) => ({
          ...each,
          ports: each.ports.map((port) => ({ ...port, maxBitsPerCycle: port.maxBitsPerCycle * factor })),
        }));
        expect(wider.computeCycles).toBeLessThanOrEqual(found.computeCycles);
        // Not so loading: in this model it shares the computation's time, of which there may then be less.
      }),
      { numRuns: 150 },
    );
  });
});

describe("the search", () => {
  it("gets no worse by improving orders, in any objective", () => {
    fc.assert(
      fc.property(questions, fc.constantFrom(...(["latency", "energy", "edp"] as const)), (asked, objective) => {
        const [layer, accelerator, entry] = asked;
        const plain = mapZigZagLayer(layer, accelerator, entry, { factorLimit: 3, starts: 0, objective });
        const better = mapZigZagLayer(layer, accelerator, entry, { factorLimit: 3, starts: 4, objective });
        expect(comparisons[objective](better.cost, plain.cost)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 40 },
    );
  });
});

it("counts the distinct points of a window", () => {
  const small = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(small, small, small, small, (sa, a, sb, b) => {
      const points = new Set<number>();
      for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) points.add(sa * i + sb * j);
      expect(distinctPoints(sa, a, sb, b)).toBe(points.size);
    }),
    { numRuns: 1000 },
  );
});

it("measures the union of windows as marking every cycle does", () => {
  const step = fc.record({
    times: fc.integer({ min: 1, max: 5 }),
    share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 5 }), (steps) => {
      let cycles = 2;
      const period = Float64Array.from(steps, ({ times }) => (cycles *= times));
      const total = cycles;
      const periods = period.map((each) => total / each);
      const allowed = period.map((each, index) =>
        Math.max(1, Math.min(each - 1, Math.floor(each * steps[index]!.share))),
      );
      const marked = new Uint8Array(total);
      for (let at = 0; at < total; at++) {
        if (period.some((each, index) => at % each < allowed[index]!)) marked[at] = 1;
      }
      const slots = period.map((_, index) => index);
      expect(unionOfWindows({ slots: [...slots] }, { period, periods }, allowed)).toBe(sum([...marked]));
    }),
    { numRuns: 300 },
  );
});
