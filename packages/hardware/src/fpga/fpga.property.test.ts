import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fpgaBoards, memoryBlocks } from "./board.js";
import { compatModel } from "./compat-model.js";
import { compatSpace } from "./compat-network.js";
import { correctedModel, correctedSpace } from "./corrected-model.js";
import { fpgaTemplate } from "./corrected-template.js";
import { type ChunkDesign, type ChunkSpace, enumerateDesigns, everyUnroll } from "./design.js";
import { chunkFootprint, evaluateChunk, evaluatePipeline } from "./evaluate.js";
import { classifyResources, paretoFront } from "./front.js";
import type { FpgaLayer } from "./layer.js";
import type { ChunkModel } from "./model.js";
import { createFpgaSolver } from "./solve.js";
import { dealLayers } from "./template.js";

const corrected = correctedModel({ dspSlice: "DSP48E1" });
const models: [string, ChunkModel][] = [
  ["published", compatModel],
  ["corrected", corrected],
  ["corrected, packing slices", correctedModel({ dspSlice: "DSP48E2" })],
];

const kind = fc.constantFrom("standard" as const, "depthwise" as const);
const powerOfTwo = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most }).map((n) => 2 ** n);

function layerOf(layerKind: FpgaLayer["kind"]): fc.Arbitrary<FpgaLayer> {
  return fc
    .record({
      channels: fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 })),
      size: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
      kernel: fc.constantFrom(1, 3, 5, 7),
      stride: fc.constantFrom(1, 2),
      bitWidth: fc.constantFrom(2, 4, 6, 8, 12, 16),
    })
    .map(({ channels: [input, output], size: [height, width], kernel, stride, bitWidth }) => ({
      name: "layer",
      kind: layerKind,
      inputChannels: layerKind === "depthwise" ? output : input,
      outputChannels: output,
      outputHeight: height,
      outputWidth: width,
      kernelHeight: kernel,
      kernelWidth: kernel,
      stride,
      bitWidth,
    }));
}

function designOf(layerKind: FpgaLayer["kind"]): fc.Arbitrary<ChunkDesign> {
  const pair = (most: number): fc.Arbitrary<[number, number]> =>
    fc.tuple(powerOfTwo(most), powerOfTwo(most)).map(([a, b]) => [Math.max(a, b), Math.min(a, b)]);
  const depthwise = layerKind === "depthwise";
  const parallelisms = depthwise
    ? fc.constantFrom("outputChannels" as const, "rows" as const)
    : fc.constantFrom("outputChannels" as const, "channels" as const, "rows" as const);
  const single: fc.Arbitrary<[number, number]> = fc.constant([1, 1]);
  return fc
    .tuple(parallelisms, pair(4), pair(4), pair(5), depthwise ? single : pair(5))
    .map(([parallelism, [R, r], [C, c], [M, m], [N, n]]) => ({
      parallelism,
      tileRows: R,
      tileColumns: C,
      tileOutputChannels: M,
      tileInputChannels: N,
      unrollRows: r,
      unrollColumns: c,
      unrollOutputChannels: m,
      unrollInputChannels: n,
    }));
}

const layerAndDesign = kind.chain((k) => fc.tuple(layerOf(k), designOf(k)));

function multiplications(layer: FpgaLayer): number {
  const inputs = layer.kind === "depthwise" ? 1 : layer.inputChannels;
  const taps = layer.kernelHeight * layer.kernelWidth;
  return layer.outputHeight * layer.outputWidth * layer.outputChannels * inputs * taps;
}

function multipliers(design: ChunkDesign): number {
  if (design.parallelism === "rows") return design.unrollRows;
  return design.unrollOutputChannels * (design.parallelism === "channels" ? design.unrollInputChannels : 1);
}

describe.each(models)("%s model", (_, model) => {
  it("never takes more cycles when channels are unrolled further at fixed buffers", () => {
    fc.assert(
      fc.property(layerAndDesign, ([layer, design]) => {
        const cycles = model.layerCycles(layer, design);
        for (const loop of ["OutputChannels", "InputChannels"] as const) {
          if (2 * design[`unroll${loop}`] > design[`tile${loop}`]) continue;
          const further = { ...design, [`unroll${loop}`]: 2 * design[`unroll${loop}`] };
          expect(model.layerCycles(layer, further)).toBeLessThanOrEqual(cycles);
        }
      }),
      { numRuns: 4000 },
    );
  });

  it("never takes fewer cycles or resources for wider words", () => {
    fc.assert(
      fc.property(
        layerAndDesign,
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 16 }),
        ([layer, design], a, b) => {
          const at = (bitWidth: number) => {
            const wide = { ...layer, bitWidth };
            const resources = model.resources(chunkFootprint({ kind: layer.kind, bitWidth, layers: [wide] }), design);
            return { cycles: model.layerCycles(wide, design), ...resources };
          };
          const [narrow, wide] = [at(Math.min(a, b)), at(Math.max(a, b))];
          expect(wide.cycles).toBeGreaterThanOrEqual(narrow.cycles);
          expect(wide.dsp).toBeGreaterThanOrEqual(narrow.dsp);
          expect(wide.bram).toBeGreaterThanOrEqual(narrow.bram);
        },
      ),
    );
  });

  it("adds up the cycles of a chunk's layers, and its memory serves each of them", () => {
    fc.assert(
      fc.property(
        kind.chain((k) => fc.tuple(fc.array(layerOf(k), { minLength: 1, maxLength: 5 }), designOf(k))),
        ([drawn, design]) => {
          const layers = drawn.map((layer) => ({ ...layer, bitWidth: 8 }));
          const chunk = dealLayers({ space: correctedSpace }, layers, 0)[0]!;
          const result = evaluateChunk(model, chunk, design);
          const cycles = layers.map((layer) => model.layerCycles(layer, design));
          expect(result.cycles).toBeCloseTo(
            cycles.reduce((sum, value) => sum + value, 0),
            6,
          );
          for (const layer of layers) {
            const alone = model.resources(chunkFootprint({ ...chunk, layers: [layer] }), design);
            expect(alone.bram).toBeLessThanOrEqual(result.bram);
            expect(alone.dsp).toBe(result.dsp);
          }
        },
      ),
    );
  });
});

describe("published model", () => {
  it("scales with the bit-width in everything but the multiplications", () => {
    fc.assert(
      fc.property(layerAndDesign, ([layer, design]) => {
        // Rounding happens before the scale, so that without compute time cycles are proportional to the width.
        const at = (bitWidth: number): number => compatModel.layerCycles({ ...layer, bitWidth }, design);
        const compute = multiplications(layer) / multipliers(design);
        const transfers = (at(1e6) / 1e6) * 16;
        expect(at(16)).toBeLessThanOrEqual(transfers + compute * (1 + 1e-9));
        expect(at(16)).toBeGreaterThanOrEqual(Math.max(transfers, compute) * (1 - 1e-9));
      }),
    );
  });
});

describe("corrected model", () => {
  it("never multiplies more often than its multipliers can", () => {
    fc.assert(
      fc.property(layerAndDesign, ([layer, design]) => {
        expect(corrected.layerCycles(layer, design)).toBeGreaterThanOrEqual(
          multiplications(layer) / multipliers(design),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it("counts every group of a grouped convolution, and strided layers need no smaller buffers", () => {
    fc.assert(
      fc.property(
        layerOf("standard"),
        designOf("standard"),
        fc.integer({ min: 1, max: 8 }),
        (layer, design, groups) => {
          const { inputChannels, outputChannels } = layer;
          const wide = {
            ...layer,
            inputChannels: groups * inputChannels,
            outputChannels: groups * outputChannels,
            groups,
          };
          const one = corrected.layerCycles(layer, design);
          expect(corrected.layerCycles(wide, design)).toBe(groups * one);
          const bram = (stride: number): number =>
            corrected.resources(
              chunkFootprint({ kind: "standard", bitWidth: 8, layers: [{ ...layer, stride }] }),
              design,
            ).bram;
          expect(bram(2)).toBeGreaterThanOrEqual(bram(1));
        },
      ),
    );
  });

  it("holds every buffer's bits in its blocks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 600 }), (depth, widthBits) => {
        expect(memoryBlocks(depth, widthBits) * 18 * 1024).toBeGreaterThanOrEqual(depth * widthBits);
        expect(memoryBlocks(depth + 1, widthBits)).toBeGreaterThanOrEqual(memoryBlocks(depth, widthBits));
        expect(memoryBlocks(depth, widthBits + 1)).toBeGreaterThanOrEqual(memoryBlocks(depth, widthBits));
      }),
    );
  });
});

/** The Pareto front of a list of designs for one layer, as (cycles, DSP, BRAM). */
function frontOf(model: ChunkModel, designs: readonly ChunkDesign[], layer: FpgaLayer): number[][] {
  const footprint = chunkFootprint({ kind: layer.kind, bitWidth: layer.bitWidth ?? 8, layers: [layer] });
  const classes = classifyResources(designs.map((design) => model.resources(footprint, design)));
  const cycles = Float64Array.from(designs, (design) => model.layerCycles(layer, design));
  return paretoFront(cycles, classes).map((point) => [point.cycles, point.dsp, point.bram]);
}

describe("candidates", () => {
  const spaces: [string, ChunkModel, (k: FpgaLayer["kind"]) => ChunkSpace][] = [
    ["published", compatModel, (k) => compatSpace("cifar", k, false)],
    ["published, large outputs", compatModel, (k) => compatSpace("imagenet", k, true)],
    ["corrected", corrected, (k) => ({ ...correctedSpace(k), rows: [8, 2, 1], columns: [4, 1] })],
  ];
  it.each(spaces)("have the front of the whole %s space", (_, model, space) => {
    fc.assert(
      fc.property(kind.chain(layerOf), (layer) => {
        const whole = enumerateDesigns(space(layer.kind), everyUnroll);
        const candidates = model.candidates(space(layer.kind));
        expect(candidates.length).toBeLessThan(whole.length);
        expect(frontOf(model, candidates, layer)).toEqual(frontOf(model, whole, layer));
      }),
      { numRuns: 6 },
    );
  });
});

describe("exact solver", () => {
  const board = fpgaBoards.ZC706;
  const template = fpgaTemplate({ board });
  const network = fc.array(kind.chain(layerOf), { minLength: 1, maxLength: 5 });
  const limitsOf = fc.record({ dsp: fc.integer({ min: 4, max: 900 }), bram: fc.integer({ min: 20, max: 1090 }) });
  const solver = createFpgaSolver(template);

  it("beats every random pipeline that fits, and fits itself", () => {
    fc.assert(
      fc.property(network, limitsOf, fc.infiniteStream(fc.nat()), (layers, limits, numbers) => {
        const solution = solver.solve(layers, limits);
        if (solution.feasible) {
          expect(solution.dsp).toBeLessThanOrEqual(limits.dsp);
          expect(solution.bram).toBeLessThanOrEqual(limits.bram);
        }
        for (const splitSize of [1, 8, 32]) {
          const chunks = dealLayers(template, layers, splitSize);
          for (let trial = 0; trial < 20; trial++) {
            const designs = chunks.map((chunk) => {
              const candidates = template.model.candidates(chunk.space);
              return candidates[numbers.next().value! % candidates.length]!;
            });
            const result = evaluatePipeline(template, chunks, designs);
            if (result.dsp > limits.dsp || result.bram > limits.bram) continue;
            expect(solution.feasible && solution.bottleneckCycles).toBeLessThanOrEqual(result.bottleneckCycles);
          }
        }
      }),
      { numRuns: 10 },
    );
  });

  it("is never slower with more resources", () => {
    fc.assert(
      fc.property(network, limitsOf, limitsOf, (layers, a, b) => {
        const less = { dsp: Math.min(a.dsp, b.dsp), bram: Math.min(a.bram, b.bram) };
        const slow = solver.solve(layers, less);
        const fast = solver.solve(layers, { dsp: Math.max(a.dsp, b.dsp), bram: Math.max(a.bram, b.bram) });
        if (!slow.feasible) return;
        expect(fast.feasible && fast.bottleneckCycles).toBeLessThanOrEqual(slow.bottleneckCycles);
      }),
      { numRuns: 15 },
    );
  });
});
