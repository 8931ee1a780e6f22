import fc from "fast-check";
import type { Halo } from "../../analysis/walk.js";
import {
  type Architecture,
  type ArchitectureLevel,
  type Fanout,
  readArchitecture,
} from "../../architecture/architecture.js";
import { ANY_ORDER, type LevelConstraints, type LoopConstraints } from "../../architecture/constraints.js";
import type { CostModel } from "../../cost/cost.js";
import type { Objective } from "../../mapper/objective.js";
import { convolutionProblem, matmulProblem } from "../../workload/layers.js";
import type { Problem } from "../../workload/problem.js";

// Layers and accelerators for tests: small, so that every mapping can be tried, and odd.

const size = fc.constantFrom(1, 1, 1, 2, 2, 3, 4, 6);
const convolutions: fc.Arbitrary<Problem> = fc
  .record({
    inputChannels: size,
    outputChannels: size,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: fc.integer({ min: 1, max: 3 }),
    kernelWidth: fc.integer({ min: 1, max: 3 }),
    strideHeight: fc.integer({ min: 1, max: 2 }),
    strideWidth: fc.integer({ min: 1, max: 3 }),
    dilationWidth: fc.integer({ min: 1, max: 2 }),
    batch: fc.constantFrom(1, 1, 2),
  })
  .map(convolutionProblem);
const depthwise: fc.Arbitrary<Problem> = fc
  .record({ groups: fc.integer({ min: 2, max: 4 }), size, kernel: size })
  .map(({ groups, size: pixels, kernel }) =>
    convolutionProblem({
      inputChannels: groups,
      outputChannels: groups,
      groups,
      outputHeight: pixels,
      outputWidth: 2,
      kernelHeight: kernel,
      kernelWidth: 1,
    }),
  );
const products = fc
  .record({ groups: fc.integer({ min: 1, max: 2 }), rows: size, inner: size, columns: size })
  .map(matmulProblem);
const term = (dimension: string) => ({ coefficient: 1, dimension });
/** A dimension in two ranks, and a rank of three: shapes of which the bounds know little. */
const oddShapes: fc.Arbitrary<Problem> = fc.record({ a: size, b: size, c: size }).map(({ a, b, c }) => ({
  name: "odd",
  dimensions: { M: a, P: b, R: c, C: 2 },
  dataSpaces: [
    { name: "Weights", readWrite: false, bitWidth: 8, projection: [[term("M")], [term("M"), term("C")]] },
    { name: "Inputs", readWrite: false, bitWidth: 8, projection: [[term("P"), term("R"), term("C")]] },
    { name: "Outputs", readWrite: true, bitWidth: 16, projection: [[{ coefficient: 2, dimension: "M" }], [term("P")]] },
  ],
}));

const dimensions = ["N", "G", "M", "C", "P", "Q", "R", "S"];
const orders = fc.shuffledSubarray([...dimensions, ANY_ORDER], { minLength: 1 });
const loops: fc.Arbitrary<LoopConstraints> = fc.record(
  {
    dimensions: fc.subarray(dimensions, { minLength: 3 }),
    permutation: orders,
  },
  { requiredKeys: [] },
);
const keeping = (level: string, tensors: readonly string[]): fc.Arbitrary<LevelConstraints> =>
  fc.record(
    {
      level: fc.constant(level),
      bypass: fc.subarray([...tensors]),
      minUtilization: fc.constantFrom(0, 0, 0, 0.25),
      multipleBuffering: fc.constantFrom(1, 1, 2),
      temporal: loops,
      spatialX: loops,
      spatialY: loops,
    },
    { requiredKeys: ["level"] },
  );
const energies = fc.record({
  readPj: fc.constantFrom(1, 2.5, 6),
  writePj: fc.constantFrom(1, 3),
  updatePj: fc.constantFrom(1, 4),
});
const fanouts: fc.Arbitrary<Fanout> = fc.record({
  x: fc.integer({ min: 1, max: 4 }),
  y: fc.integer({ min: 1, max: 3 }),
  neighbourLinks: fc.boolean(),
});

export const architectures: fc.Arbitrary<Architecture> = fc
  .record({
    outer: energies,
    buffer: energies,
    bufferEntries: fc.integer({ min: 4, max: 60 }),
    readBits: fc.constantFrom(undefined, 2, 8),
    sharedBits: fc.constantFrom(undefined, 4),
    spad: energies,
    spadEntries: fc.integer({ min: 2, max: 12 }),
    array: fanouts,
    innerArray: fc.option(fanouts),
    hasArrayLevel: fc.boolean(),
    keep: fc.subarray(["Weights", "Inputs", "Outputs"], { minLength: 1 }),
    constraints: fc.tuple(keeping("buffer", ["Weights", "Outputs"]), keeping("spad", ["Inputs"])),
    leakagePjPerCycle: fc.constantFrom(0, 0.5),
    minComputeUtilization: fc.constantFrom(0, 0, 0.4),
  })
  .map((draw) => {
    const levels: ArchitectureLevel[] = [
      {
        name: "DRAM",
        storage: { widthBits: 32, wordBits: 8, ...draw.outer, readPj: 60, readBitsPerCycle: draw.readBits },
      },
      {
        name: "buffer",
        storage: { entries: draw.bufferEntries, widthBits: 16, ...draw.buffer, sharedBitsPerCycle: draw.sharedBits },
        ...(!draw.hasArrayLevel && { fanout: draw.array }),
      },
      ...(draw.hasArrayLevel ? [{ name: "array", fanout: draw.array }] : []),
      {
        name: "spad",
        storage: { entries: draw.spadEntries, widthBits: 16, ...draw.spad, leakagePjPerCycle: draw.leakagePjPerCycle },
        ...(draw.innerArray !== null && { fanout: draw.innerArray }),
      },
    ];
    const constraints = {
      minComputeUtilization: draw.minComputeUtilization,
      levels: [{ level: "DRAM", keep: draw.keep }, ...draw.constraints],
    };
    return readArchitecture(JSON.stringify({ name: "a", levels, compute: { energyPj: 1 }, constraints }));
  });

/** Windows that slide over a row of units with links, where reading the buffer costs most: links decide. */
export const windows: fc.Arbitrary<Problem> = fc
  .record({
    inputChannels: fc.constantFrom(1, 1, 2),
    outputChannels: fc.constantFrom(1, 2, 2),
    outputHeight: fc.constantFrom(1, 1, 2),
    outputWidth: fc.constantFrom(2, 3, 4, 6, 8, 8),
    kernelHeight: fc.constantFrom(1, 1, 2),
    kernelWidth: fc.integer({ min: 2, max: 3 }),
    strideWidth: fc.constantFrom(1, 1, 2),
    dilationWidth: fc.constantFrom(1, 1, 2),
  })
  .map(convolutionProblem);
export const linkedRows: fc.Arbitrary<Architecture> = fc
  .record({
    chips: fc.constantFrom(1, 1, 2),
    x: fc.integer({ min: 2, max: 8 }),
    y: fc.integer({ min: 1, max: 3 }),
    entries: fc.integer({ min: 1, max: 4 }),
    widthBits: fc.constantFrom(8, 16),
    writePj: fc.constantFrom(0, 1, 5),
    hasArrayLevel: fc.boolean(),
    atUnits: fc.boolean(),
    spadKeeps: fc.subarray(["Inputs", "Weights", "Outputs"], { minLength: 1 }),
    order: fc.record({ permutation: orders }, { requiredKeys: [] }),
  })
  .map(({ chips, x, y, entries, widthBits, writePj, hasArrayLevel, atUnits, spadKeeps, order }) => {
    const fanout = { x, y };
    const atBuffer = !hasArrayLevel && !atUnits;
    const levels = [
      { name: "DRAM", storage: { widthBits: 8, readPj: 1, writePj: 1 }, fanout: { x: chips } },
      { name: "buffer", storage: { widthBits: 8, readPj: 40, writePj: 2 }, ...(atBuffer && { fanout }) },
      ...(hasArrayLevel && !atUnits ? [{ name: "array", fanout }] : []),
      { name: "spad", storage: { entries, widthBits, readPj: 1, writePj }, ...(atUnits && { fanout }) },
    ];
    const bypass = ["Inputs", "Weights", "Outputs"].filter((tensor) => !spadKeeps.includes(tensor));
    const constraints = {
      levels: [
        { level: "DRAM", temporal: { dimensions: ["M", "Q"] } },
        { level: "buffer", keep: ["Weights", "Inputs", "Outputs"], spatialX: order },
        { level: "spad", keep: spadKeeps, bypass, temporal: { dimensions: ["C", "R", "S"] } },
      ],
    };
    return readArchitecture(JSON.stringify({ name: "a", levels, compute: { energyPj: 1 }, constraints }));
  });

/** Options of the cost model, and an objective. */
export const options = fc.record({
  model: fc.constant<CostModel>("timeloop"),
  objective: fc.constantFrom<Objective>("edp", "energy", "latency"),
  neighbourLinks: fc.boolean(),
  elideFirstReads: fc.boolean(),
  leakage: fc.boolean(),
  halo: fc.constantFrom<Halo>("timeloop-default", "timeloop-full"),
});

export const layers: fc.Arbitrary<Problem> = fc.oneof(
  { weight: 6, arbitrary: convolutions },
  { weight: 1, arbitrary: depthwise },
  { weight: 2, arbitrary: products },
  { weight: 1, arbitrary: oddShapes },
);
