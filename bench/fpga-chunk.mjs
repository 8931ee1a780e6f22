// Tables of docs/models/fpga-chunk.md: npm run build && node bench/fpga-chunk.mjs
// Everything but the solver's times is the same on every run.
import { readFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import {
  compatBoard,
  compatModel,
  compatNetworkLayers,
  compatTemplate,
  correctedModel,
  correctedSpace,
  createFpgaSolver,
  dealLayers,
  evaluatePipeline,
  fpgaBoards,
  fpgaTemplate,
  gradientSearch,
  memoryBlocks,
  pipelineOffChipBytes,
  publishedGradientSearch,
} from "@dovetail/hardware";

const golden = JSON.parse(
  readFileSync(new URL("../packages/hardware/src/fpga/fpga-chunk.golden.json", import.meta.url), "utf8"),
);
const networkOf = (dataset) =>
  compatNetworkLayers({ blocks: golden.network.blocks, bitWidths: golden.network.bits, dataset });
const row = (...cells) => console.log(`| ${cells.join(" | ")} |`);
const number = (value) => (Number.isInteger(value) ? `${value}` : value.toFixed(1));

const ceilTo = (value, tile) => Math.ceil(value / tile) * tile;

/** The published model with one formula replaced at a time. */
const variants = [
  ["as published", compatModel],
  [
    "whole passes",
    {
      ...compatModel,
      layerCycles: (layer, design) =>
        compatModel.layerCycles(
          {
            ...layer,
            inputChannels: ceilTo(layer.inputChannels, design.tileInputChannels),
            outputChannels: ceilTo(layer.outputChannels, design.tileOutputChannels),
            outputHeight: ceilTo(layer.outputHeight, design.tileRows),
            outputWidth: ceilTo(layer.outputWidth, design.tileColumns),
          },
          design,
        ),
    },
  ],
  [
    // With the unroll set to the tile the published input tile is the tile and its halo; nothing else changes.
    "input tile with its halo",
    {
      ...compatModel,
      layerCycles: (layer, design) => compatModel.layerCycles(layer, withHalo(design)),
      resources: (footprint, design) => compatModel.resources(footprint, withHalo(design)),
    },
  ],
  [
    "weights in memory",
    {
      ...compatModel,
      resources(footprint, design) {
        const { dsp, bram } = compatModel.resources(footprint, design);
        if (design.parallelism === "rows") return { dsp, bram };
        const m = design.unrollOutputChannels;
        const n = design.parallelism === "channels" ? design.unrollInputChannels : 1;
        const rows = (design.tileOutputChannels / m) * (design.tileInputChannels / n);
        const taps = Math.max(...footprint.kernels.map((kernel) => kernel.kernelHeight * kernel.kernelWidth));
        return { dsp, bram: bram + memoryBlocks(rows * taps, m * n * footprint.bitWidth) };
      },
    },
  ],
  [
    "whole slices, one product each",
    {
      ...compatModel,
      resources: (footprint, design) => ({
        bram: compatModel.resources(footprint, design).bram,
        dsp: compatModel.resources({ ...footprint, bitWidth: 16 }, design).dsp,
      }),
    },
  ],
  ["all of the corrected model", correctedModel({ dspSlice: "DSP48E1" })],
];

function withHalo(design) {
  if (design.parallelism === "rows") return { ...design, unrollColumns: design.tileColumns };
  return { ...design, unrollRows: design.tileRows, unrollColumns: design.tileColumns };
}

function oneFormulaAtATime() {
  const template = compatTemplate("cifar");
  const layers = networkOf("cifar");
  const published = createFpgaSolver(template).solve(layers, compatBoard);
  const chunks = dealLayers(template, layers, template.splitSize);
  const designs = published.chunks.map((chunk) => chunk.design);
  console.log("\nOne formula at a time: the published optimum's designs, and the optimum under the changed model");
  row("model", "frames/s of these designs", "DSP", "BRAM", "optimum within 900, 700", "DSP", "BRAM");
  for (const [name, model] of variants) {
    const fixed = evaluatePipeline({ ...template, model }, chunks, designs);
    const best = createFpgaSolver({ ...template, model }).solve(layers, compatBoard);
    const optimum = [number(best.framesPerSecond), number(best.dsp), best.bram];
    row(name, number(fixed.framesPerSecond), number(fixed.dsp), fixed.bram, ...optimum);
  }
}

function tightBoards() {
  console.log("\nThe published optimum and the corrected one on the same layers and lists, by limits");
  row("limits", "published", "its designs, corrected", "DSP", "BRAM", "corrected optimum", "DSP", "BRAM");
  const template = compatTemplate("cifar");
  const corrected = { ...template, model: correctedModel({ dspSlice: "DSP48E1" }) };
  const layers = networkOf("cifar");
  const chunks = dealLayers(template, layers, template.splitSize);
  for (const [name, dsp, bram] of golden.optima) {
    if (name !== "cifar") continue;
    const published = createFpgaSolver(template).solve(layers, { dsp, bram });
    const designs = published.chunks.map((chunk) => chunk.design);
    const same = evaluatePipeline(corrected, chunks, designs);
    const best = createFpgaSolver(corrected).solve(layers, { dsp, bram });
    const found = [number(best.framesPerSecond), best.dsp, best.bram];
    const recosted = [number(same.framesPerSecond), same.dsp, same.bram];
    row(`${dsp}, ${bram}`, number(published.framesPerSecond), ...recosted, ...found);
  }
}

/** Stem, header, classifier and real strides of the example network on CIFAR-10, at one width. */
function wholeNetwork(bitWidth) {
  const strides = { "block5.depthwise": 2, "block9.depthwise": 2, "block17.depthwise": 2 };
  const body = networkOf("cifar").map((layer) => {
    const stride = strides[layer.name] ?? 1;
    const name = layer.name.replace(".expand", ".depthwise");
    const growth = layer.name.includes(".expand") ? (strides[name.slice(0, -1)] ?? 1) : 1;
    const size = layer.outputHeight * growth;
    return { ...layer, bitWidth, stride, outputHeight: size, outputWidth: size };
  });
  const layer = (name, inputChannels, outputChannels, size, kernel) => ({
    name,
    kind: "standard",
    inputChannels,
    outputChannels,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: kernel,
    kernelWidth: kernel,
    stride: 1,
    bitWidth,
  });
  return [layer("stem", 3, 16, 32, 3), ...body, layer("header", 352, 1504, 4, 1), layer("classifier", 1504, 10, 1, 1)];
}

function correctedOptima() {
  console.log(
    "\nThe corrected model's own optima, whole example network with strides, stem, header, classifier, 8 bit",
  );
  row("board", "frames/s", "DSP", "BRAM", "split at", "latency ms", "off-chip GB/s");
  const layers = wholeNetwork(8);
  for (const board of Object.values(fpgaBoards)) {
    const best = createFpgaSolver(fpgaTemplate({ board })).solve(layers, board);
    const gigabytes = (pipelineOffChipBytes(layers, best) * best.framesPerSecond) / 1e9;
    const latency = (best.imageLatencySeconds * 1e3).toFixed(2);
    row(board.name, number(best.framesPerSecond), best.dsp, best.bram, best.splitSize, latency, gigabytes.toFixed(2));
  }
}

function gradientTable() {
  const settings = [
    ["as published (step 1e-7)", publishedGradientSearch],
    ["published, step 1e-2", { ...publishedGradientSearch, step: 1e-2 }],
    ["random search", { step: 0 }],
    [
      "credit per chunk, straight-through",
      { estimator: "straightThrough", step: 1e-2, bottleneckSoftness: 0.3, priceStep: 0.02 },
    ],
    ["the same, score function", { step: 1e-2, bottleneckSoftness: 0.3, priceStep: 0.02 }],
    ["defaults", {}],
  ];
  for (const dataset of ["cifar", "imagenet"]) {
    const template = compatTemplate(dataset);
    const chunks = dealLayers(template, networkOf(dataset), template.splitSize);
    const boards = golden.optima.filter(([name]) => name === dataset);
    console.log(
      `\nSearch by gradients, ${dataset}, 2,000 evaluations, seeds 0 to 4, frames/s (median in % of the optimum)`,
    );
    row("settings", ...boards.map(([, dsp, bram, cycles]) => `${dsp}/${bram}: ${(200e6 / cycles).toFixed(1)}`));
    for (const [name, chosen] of settings) {
      const cells = boards.map(([, dsp, bram, cycles]) => {
        const speeds = [0, 1, 2, 3, 4].map((seed) => {
          const random = createRandomStream(seed);
          const { best } = gradientSearch({ template, chunks, limits: { dsp, bram }, random, settings: chosen });
          return best?.framesPerSecond ?? 0;
        });
        const median = [...speeds].sort((a, b) => a - b)[2];
        return `${speeds.map((speed) => speed.toFixed(0)).join(" ")} (${((median * cycles) / 2e6).toFixed(0)})`;
      });
      row(name, ...cells);
    }
  }
}

function solverTimes() {
  console.log("\nTime of a call to the exact solver, ms: first call on a network, then with its layer shapes known");
  row("template", "network", "layers", "first", "later");
  const convolution = (inputChannels, outputChannels, size, kernel, stride) => ({
    name: "layer",
    kind: "standard",
    inputChannels,
    outputChannels,
    outputHeight: size,
    outputWidth: size,
    kernelHeight: kernel,
    kernelWidth: kernel,
    stride,
  });
  const resnet8 = [
    convolution(3, 16, 32, 3, 1),
    convolution(16, 16, 32, 3, 1),
    convolution(16, 16, 32, 3, 1),
    convolution(16, 32, 16, 3, 2),
    convolution(32, 32, 16, 3, 1),
    convolution(16, 32, 16, 1, 2),
    convolution(32, 64, 8, 3, 2),
    convolution(64, 64, 8, 3, 1),
    convolution(32, 64, 8, 1, 2),
    convolution(64, 10, 1, 1, 1),
  ];
  const cases = [
    ["published", "example, CIFAR", compatTemplate("cifar"), networkOf("cifar"), compatBoard],
    ["corrected", "ResNet-8", fpgaTemplate({ board: fpgaBoards.ZC706 }), resnet8, fpgaBoards.ZC706],
    ["corrected", "example, whole", fpgaTemplate({ board: fpgaBoards.ZC706 }), wholeNetwork(8), fpgaBoards.ZC706],
  ];
  for (const [kind, name, template, layers, limits] of cases) {
    const solver = createFpgaSolver(template);
    const time = (repeats) => {
      const start = performance.now();
      for (let index = 0; index < repeats; index++) solver.solve(layers, limits);
      return ((performance.now() - start) / repeats).toFixed(2);
    };
    row(kind, name, layers.length, time(1), time(50));
  }
}

const spaces = ["standard", "depthwise"].map(
  (kind) => correctedModel({ dspSlice: "DSP48E1" }).candidates(correctedSpace(kind)).length,
);
console.log(`candidates of the corrected model: ${spaces[0]} standard, ${spaces[1]} depth-wise`);
oneFormulaAtATime();
tightBoards();
correctedOptima();
gradientTable();
solverTimes();
