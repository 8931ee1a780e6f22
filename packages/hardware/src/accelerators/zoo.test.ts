import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { fpgaBoards } from "../fpga/board.js";
import { fusionCost } from "../fusion/cost.js";
import { type ConvolutionShape, convolutionProblem } from "../workload/layers.js";
import { dataSpaceWords, macCount } from "../workload/problem.js";
import { mapOnAccelerator } from "./cost.js";
import { readAccelerator, writeAccelerator } from "./document.js";
import { ourFigure, peakMacsPerCycle } from "./facts.js";
import { isPipeline, readZooDocument, solvePipeline } from "./pipeline-document.js";
import { specialise } from "./specialise.js";

const folder = join(import.meta.dirname, "../../../../accelerators");
const documents = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => ({ file, document: readZooDocument(readFileSync(join(folder, file), "utf8"), { file }) }));
const zoo = documents.flatMap(({ file, document }) => (isPipeline(document) ? [] : [{ file, accelerator: document }]));
const pipelines = documents.flatMap(({ file, document }) => (isPipeline(document) ? [{ file, document }] : []));

it("the zoo has the machines that it is to have", () => {
  expect(documents.map(({ document }) => document.name).sort()).toEqual(
    [
      "bit-fusion",
      "bit-pragmatic",
      "cambricon-x",
      "diannao",
      "eyeriss",
      "fpga-ultra96",
      "fpga-zc706",
      "fpga-zcu102",
      "nvdla-like",
      "scnn",
      "shiftadd-add",
      "shiftadd-shift",
      "shiftaddnet",
      "shidiannao",
      "smartexchange",
      "stripes",
      "tpu-like",
      "two-in-one",
    ].sort(),
  );
});

describe.each(pipelines.map(({ file, document }) => [file, document] as const))("accelerators/%s", (file, document) => {
  it("is named as its file, and has the published resources", () => {
    expect(`${document.name}.yaml`).toBe(file);
    for (const { fact, value } of document.published) expect(fpgaBoards[document.board][fact]).toBe(value);
  });

  it("runs ResNet-18's convolutions within the board, no faster than its multipliers", () => {
    const board = fpgaBoards[document.board];
    const solution = solvePipeline(
      resNet18.map((problem) => ({ name: problem.name, problem })),
      document,
    );
    if (!solution.feasible) throw new Error("nothing fits");
    expect(solution.dsp).toBeLessThanOrEqual(board.dsp);
    expect(solution.bram).toBeLessThanOrEqual(board.bram);
    const macs = resNet18.reduce((sum, problem) => sum + macCount(problem), 0);
    // Two products a slice and cycle at most.
    expect(solution.framesPerSecond).toBeLessThanOrEqual((2 * board.dsp * document.clockMhz * 1e6) / macs);
  });
});

/** Distinct convolutions of ResNet-18 at 224 × 224: input and output channels, output size, kernel, stride. */
const resNet18 = (
  [
    [3, 64, 112, 7, 2],
    [64, 64, 56, 3, 1],
    [64, 128, 28, 3, 2],
    [64, 128, 28, 1, 2],
    [128, 128, 28, 3, 1],
    [128, 256, 14, 3, 2],
    [128, 256, 14, 1, 2],
    [256, 256, 14, 3, 1],
    [256, 512, 7, 3, 2],
    [256, 512, 7, 1, 2],
    [512, 512, 7, 3, 1],
  ] as const
).map(([inputChannels, outputChannels, size, kernel, stride]) =>
  convolution({ inputChannels, outputChannels, size, kernel, stride }),
);

function convolution(shape: {
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly bits?: number;
  readonly batch?: number;
}) {
  const { inputChannels, outputChannels, size, kernel, stride, bits = 8, batch = 1 } = shape;
  const full: ConvolutionShape = {
    name: `${kernel}x${kernel}-${inputChannels}-${outputChannels}-${size}`,
    batch,
    inputChannels,
    outputChannels,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: kernel,
    kernelWidth: kernel,
    strideHeight: stride,
    strideWidth: stride,
    bitWidths: { weights: bits, inputs: bits, outputs: bits },
  };
  return convolutionProblem(full);
}

describe.each(zoo.map(({ file, accelerator }) => [file, accelerator] as const))(
  "accelerators/%s",
  (file, accelerator) => {
    it("is named as its file, and survives writing and reading", () => {
      expect(`${accelerator.name}.yaml`).toBe(file);
      expect(readAccelerator(writeAccelerator(accelerator))).toEqual(accelerator);
    });

    it("has the published figures", () => {
      for (const figure of accelerator.published) {
        const ours = ourFigure(accelerator, figure);
        expect(ours, figure.fact).toBeDefined();
        expect(Math.abs(ours! / figure.value - 1), figure.fact).toBeLessThanOrEqual(figure.toleranceFraction + 1e-12);
      }
    });

    it("runs ResNet-18's convolutions", () => {
      const bits = accelerator.unit.kind === "shift" ? { weights: 5, inputs: 8 } : { weights: 8, inputs: 8 };
      for (const layer of resNet18) {
        const dataSpaces = layer.dataSpaces.map((space) =>
          space.name === "Weights" ? { ...space, bitWidth: bits.weights } : space,
        );
        const problem = { ...layer, dataSpaces };
        const found = mapOnAccelerator(problem, accelerator, { random: createRandomStream(1), evaluations: 100 });
        if (!found.ok) throw new Error(`${layer.name}: ${JSON.stringify(found.rejection)}`);
        const { cost } = found;
        expect(cost.macs).toBe(macCount(layer));
        expect(cost.compute.macs).toBe(cost.macs);
        // Words without a zero bit are slower than those that are assumed, by at most as many cycles as bits.
        const fastest = accelerator.unit.kind === "essentialBits" ? 8 : 1;
        const peak = peakMacsPerCycle(accelerator, 8) * fastest;
        expect(cost.latencyCycles).toBeGreaterThanOrEqual(Math.floor(cost.macs / peak));
        expect(cost.utilization).toBeLessThanOrEqual(1);
        const [outermost] = cost.levels;
        for (const space of outermost!.dataSpaces) {
          const words = dataSpaceWords(problem, problem.dataSpaces.find(({ name }) => name === space.dataSpace)!);
          const moved = space.dataSpace === "Outputs" ? space.updates : space.reads;
          expect(moved, space.dataSpace).toBeGreaterThanOrEqual(words * strideGaps(layer));
        }
        expect(cost.energyPj).toBeGreaterThan(cost.compute.energyPj + outermost!.accessEnergyPj - 1);
        expect(Number.isFinite(cost.energyPj)).toBe(true);
      }
    });
  },
);

/** 1×1 layers with a stride of 2 need only a quarter of their inputs' box. */
function strideGaps(layer: { readonly dimensions: Readonly<Record<string, number>> }): number {
  return layer.dimensions.R === 1 ? 0.25 : 1;
}

describe("beside published layers", () => {
  it("Bit Fusion's array computes ResNet-18's wide 3 × 3 layer in the cycles of its own simulator", () => {
    // 3,612,672 (cost-model.md section 6.2): 128 channels, 56 × 56, 16 images, 4 bit.
    const layer = convolution({
      inputChannels: 128,
      outputChannels: 128,
      size: 56,
      kernel: 3,
      stride: 1,
      bits: 4,
      batch: 16,
    });
    const { accelerator } = zoo.find(({ file }) => file === "bit-fusion.yaml")!;
    const found = mapOnAccelerator(layer, accelerator, {
      random: createRandomStream(1),
      evaluations: 400,
      objective: "latency",
    });
    if (!found.ok) throw new Error("no mapping");
    expect(found.cost.compute.cycles).toBe(3_612_672);
    const array = {
      rows: 16,
      columns: 32,
      widestBits: 8,
      narrowestBits: 2,
      weightBufferBits: 524288,
      inputBufferBits: 262144,
      outputBufferBits: 131072,
      offChipBitsPerCycle: 192,
    };
    const shape = { batch: 16, inputChannels: 128, outputChannels: 128, kernelSize: 3, outputSize: 56, stride: 1 };
    const own = fusionCost({ name: "wide", ...shape, activationBits: 4, weightBits: 4 }, array);
    expect(own.computeCycles).toBe(found.cost.compute.cycles);
  });

  it("units with more products a step end in a level of bricks", () => {
    const { accelerator } = zoo.find(({ file }) => file === "two-in-one.yaml")!;
    const at = (bits: number) => specialise(accelerator, convolution({ ...small, bits }));
    expect(at(8)).toMatchObject({ cyclesPerStep: 4 });
    expect(at(4)).toMatchObject({ cyclesPerStep: 4 });
    expect(at(4).architecture.levels.at(-1)).toMatchObject({ name: "bricks", fanout: { x: 4, y: 1 } });
    expect(at(3).cyclesPerStep).toBe(3);
  });
});

const small = { inputChannels: 16, outputChannels: 16, size: 8, kernel: 3, stride: 1 };
