// Each plot and drawing as a stored SVG, to be looked at when it changes (`npx vitest run packages/report -u`).

import type { Architecture, PipelineResult } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { asicFixture } from "../../fixtures/co-search.js";
import { expectWellFormed } from "../../fixtures/well-formed.js";
import { networkBlocks } from "../data/blocks.js";
import { chunkPipeline } from "../drawings/chunk-pipeline.js";
import { memoryHierarchy } from "../drawings/memory-hierarchy.js";
import { networkDrawing } from "../drawings/network-drawing.js";
import { markupText } from "../markup/markup.js";
import { bars } from "./bars.js";
import { bestSoFar } from "./best-so-far.js";
import { cloud } from "./cloud.js";
import { cycleLanes } from "./cycle-lanes.js";
import { distributionCourse } from "./distribution-course.js";
import { heatMap } from "./heat-map.js";
import { intervalDots } from "./interval-dots.js";
import { linePlot } from "./line-plot.js";
import { matrix } from "./matrix.js";
import { type Picture, standaloneSvg } from "./picture.js";
import { precisionPlot } from "./precision-plot.js";
import { scatter } from "./scatter.js";
import { shareAreas } from "./share-areas.js";
import { stackedBars, stackedStrip } from "./stacked-bars.js";

const label = "what it shows";
const figures = (value: number): string => value.toFixed(1);
const threeSeries = [
  { name: "memory", series: "c0" },
  { name: "buffer <b>", series: "c1" },
  { name: "arithmetic", series: "c2" },
];

const architecture: Architecture = {
  name: "small",
  levels: [
    { name: "DRAM", storage: { widthBits: 64, readPj: 512, writePj: 512 } },
    { name: "buffer", storage: { entries: 4096, widthBits: 128, readPj: 39.3, writePj: 40 } },
    { name: "columns", fanout: { x: 6, y: 1, neighbourLinks: false } },
    { name: "rows", fanout: { x: 1, y: 4, neighbourLinks: false } },
    { name: "weights", storage: { entries: 96, widthBits: 8, wordBits: 8, readPj: 0.29, writePj: 0.3 } },
  ],
  compute: { name: "mac", energyPj: 0.3 },
};

const design = {
  parallelism: "channels",
  tileRows: 8,
  tileColumns: 4,
  tileOutputChannels: 32,
  tileInputChannels: 16,
  unrollRows: 1,
  unrollColumns: 1,
  unrollOutputChannels: 16,
  unrollInputChannels: 8,
} as const;

const pipeline: PipelineResult = {
  chunks: [
    { name: "a0q8", design, layerIndices: [0, 1], layerCycles: [3000, 9000], cycles: 12000, dsp: 128, bram: 40 },
    {
      name: "dwa1q8",
      design: { ...design, parallelism: "rows", unrollRows: 4, unrollOutputChannels: 1, unrollInputChannels: 1 },
      layerIndices: [2],
      layerCycles: [5000],
      cycles: 5000,
      dsp: 4,
      bram: 12,
    },
  ],
  bottleneckCycles: 12000,
  framesPerSecond: 16666.7,
  imageLatencySeconds: 8.5e-5,
  dsp: 132,
  bram: 52,
};

const pictures: Record<string, () => Picture> = {
  "line-plot": () =>
    linePlot({
      label,
      series: [
        {
          name: "training",
          series: "c0",
          points: [
            [0, 2.3],
            [10, 1.4],
            [20, 1.1],
            [30, Number.NaN],
            [40, 0.9],
          ],
        },
        {
          name: "validation & more",
          series: "c1",
          points: [
            [10, 1.6],
            [40, 1.2],
          ],
          dashed: true,
        },
      ],
      xTitle: "step",
      yTitle: "loss",
      yIncludes: [0],
      marks: [{ x: 10, name: "search begins" }],
    }),
  "line-plot-logarithmic": () =>
    linePlot({
      label,
      series: [
        {
          name: "cost",
          series: "c0",
          points: [
            [0, 1000],
            [50, 20],
            [60, 0],
            [100, 1.5],
          ],
        },
      ],
      xTitle: "step",
      yTitle: "cost",
      yLogarithmic: true,
    }),
  "precision-plot": () =>
    precisionPlot({
      label,
      series: [
        {
          name: "tiled",
          series: "c0",
          points: [
            { bits: 2, throughputPerArea: 6.1, energy: 0.09 },
            { bits: 4, throughputPerArea: 3, energy: 0.14 },
            { bits: 8, throughputPerArea: 0.76, energy: 0.51 },
          ],
        },
        {
          name: "fixed",
          series: "c1",
          points: [
            { bits: 2, throughputPerArea: 2.1, energy: 0.25 },
            { bits: 8, throughputPerArea: 2.1, energy: 0.3 },
          ],
          dashed: true,
        },
      ],
      throughputTitle: "products a cycle on 1,000 µm²",
      energyTitle: "pJ a product",
    }),
  "share-areas": () =>
    shareAreas({
      label,
      steps: [0, 50, 100],
      shares: [
        [0.33, 0.33, 0.34],
        [0.2, 0.6, 0.2],
        [0.05, 0.9, 0.05],
      ],
      categories: threeSeries,
    }),
  "heat-map": () =>
    heatMap({
      label,
      rows: ["stage1.0", "stage2.0"],
      columns: ["basic_k3", "inverted_k3_e3", "skip"],
      shares: [
        [0.9, 0.06, 0.04],
        [0.001, 0.3, 0.699],
      ],
      chosen: [0, undefined],
    }),
  "distribution-course": () =>
    distributionCourse({
      label,
      options: ["8 KB", "16 KB", "32 KB"],
      steps: ["60", "80", "100"],
      shares: [
        [0.33, 0.33, 0.34],
        [0.2, 0.6, 0.2],
        [0.02, 0.97, 0.01],
      ],
      chosen: 1,
    }),
  "best-so-far": () =>
    bestSoFar({
      label,
      trials: [
        { at: 1 },
        { at: 2, value: 3, best: 3 },
        { at: 3, value: 40, best: 3 },
        { at: 4, value: 1.2, best: 1.2 },
        { at: 5, best: 1.2 },
        { at: 6, value: 1, best: 1 },
      ],
      xTitle: "evaluation",
      yTitle: "cost, × the best",
    }),
  bars: () =>
    bars(
      [
        { name: "found", value: 0.58, text: "0.58 nJ·s", series: "found" },
        {
          name: "a baseline with a name that is much too long for its line",
          value: 1,
          text: "1.00 nJ·s",
          note: "1.72 ×",
          series: "baseline",
        },
        { name: "unbounded", value: Number.POSITIVE_INFINITY, text: "–", series: "baseline" },
      ],
      { label, limit: { value: 0.8, name: "limit 0.8 nJ·s" } },
    ),
  "interval-dots": () =>
    intervalDots(
      [
        { name: "found", value: 84.1, interval: [83.4, 84.8], text: "84.1", series: "found" },
        { name: "baseline", value: 82.2, text: "82.2", series: "baseline" },
      ],
      { label, reference: 83 },
    ),
  "stacked-bars": () =>
    stackedBars(
      [
        { name: "found", text: "6.0 µJ", values: [3, 2, 1], strong: true },
        { name: "baseline", text: "10.0 µJ", values: [8, 0, 2] },
      ],
      { label, categories: threeSeries, format: figures },
    ),
  "stacked-strip": () => stackedStrip([3, 2, 1], { label, categories: threeSeries, format: figures }),
  scatter: () =>
    scatter(
      [
        { name: "found", x: 1.2e-7, y: 84.1, interval: [83.4, 84.8], text: "84.1 %, 120 nJ·s", series: "found" },
        { name: "baseline", x: 2.1e-7, y: 84.4, text: "84.4 %, 210 nJ·s", series: "baseline" },
        { name: "no cost", x: 0, y: 80, text: "–", series: "baseline" },
      ],
      { label, xTitle: "EDP", yTitle: "accuracy, %", xFormat: (value) => `${(value * 1e9).toFixed(0)} nJ·s` },
    ),
  cloud: () =>
    cloud({
      label,
      name: "all networks",
      xTitle: "ms",
      yTitle: "accuracy, %",
      x: [1, 2, 4, 8, Number.NaN, 0],
      y: [60, 80, 90, 85, 99, 50],
      xLogarithmic: true,
      steps: [
        {
          name: "front",
          series: "found",
          points: [
            [1, 60],
            [2, 80],
            [4, 90],
          ],
        },
      ],
      marks: [{ name: "chosen <b>", x: 2, y: 80 }],
    }),
  matrix: () =>
    matrix({
      label,
      rows: ["edgegpu", "a row with a name that is much too long for the room that it has"],
      columns: ["raspi4", "eyeriss"],
      values: [
        [1, -0.5],
        [0.04, Number.NaN],
      ],
    }),
  "cycle-lanes": () =>
    cycleLanes(
      [
        {
          name: "a0q8",
          layers: [
            { name: "stem", cycles: 3000 },
            { name: "block.first", cycles: 9000 },
          ],
        },
        { name: "dwa1q8", layers: [{ name: "depthwise", cycles: 5000 }] },
      ],
      label,
    ),
  "network-drawing": () => {
    const { found, trace } = asicFixture();
    return networkDrawing(networkBlocks(found, trace.positions), label);
  },
  "memory-hierarchy": () => memoryHierarchy(architecture, label),
  "memory-hierarchy-without-array": () =>
    memoryHierarchy(
      { ...architecture, levels: architecture.levels.filter(({ fanout }) => fanout === undefined) },
      label,
    ),
  "chunk-pipeline": () => chunkPipeline(pipeline, label),
};

describe.each(Object.entries(pictures))("%s", (name, draw) => {
  it("is as stored", async () => {
    const svg = markupText(standaloneSvg(draw()));
    expectWellFormed(svg);
    await expect(svg).toMatchFileSnapshot(`../../fixtures/svg/${name}.svg`);
  });
});

describe("plots of nothing", () => {
  const empty: Record<string, () => Picture> = {
    "line-plot": () => linePlot({ label, series: [{ name: "a", series: "c0", points: [] }], xTitle: "", yTitle: "" }),
    "best-so-far": () => bestSoFar({ label, trials: [{ at: 0 }], xTitle: "", yTitle: "" }),
    "heat-map": () => heatMap({ label, rows: [], columns: [], shares: [] }),
    scatter: () => scatter([], { label, xTitle: "", yTitle: "", xFormat: figures }),
    bars: () => bars([{ name: "a", value: 0, text: "0", series: "c0" }], { label }),
    "stacked-bars": () =>
      stackedBars([{ name: "a", text: "0", values: [0, 0, 0] }], { label, categories: threeSeries, format: figures }),
    "cycle-lanes": () => cycleLanes([{ name: "a", layers: [] }], label),
    "share-areas": () => shareAreas({ label, steps: [5], shares: [[1]], categories: [threeSeries[0]!] }),
  };
  it.each(Object.entries(empty))("%s is still a picture", (_, draw) => {
    expectWellFormed(markupText(standaloneSvg(draw())));
  });
});
