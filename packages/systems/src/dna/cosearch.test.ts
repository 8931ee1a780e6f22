import { createRandomStream } from "@dovetail/core";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { type Checkpoint, createDataset, type ImageDataset } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCoSearch } from "./cosearch.js";
import { coSearchOptionsSchema } from "./options.js";
import type { CoSearchResult } from "./result.js";
import { createMemoryStages, type StageStore } from "./stages.js";

const effort = {
  trainingMacs: 1.5e9,
  batchSize: 8,
  warmUpSteps: 1,
  searchSteps: 3,
  acceleratorEvery: 2,
  acceleratorEvaluations: 6,
  finalAcceleratorEvaluations: 9,
  mapperEvaluations: 15,
  finalMapperEvaluations: 30,
  checkpointEvery: 1,
};
const asic = coSearchOptionsSchema.parse({
  target: { kind: "asic" },
  constraints: { areaMm2: "reference" },
  objective: "edp",
  effort,
});

let runtime: Runtime;
let dataset: ImageDataset;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 2 });
  dataset = blobs();
});
afterAll(() => runtime.release());

/** Sixteen-pixel images whose colour tells their class. */
function blobs(): ImageDataset {
  const random = createRandomStream(3);
  const part = (count: number) => {
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 2);
    const images = new Uint8Array(count * 3 * 256);
    for (let index = 0; index < images.length; index++) {
      const label = labels[Math.floor(index / 768)]!;
      images[index] = random.integer(120) + (Math.floor(index / 256) % 3 === label ? 120 : 0);
    }
    return { images, labels };
  };
  return createDataset(
    "blobs",
    { classNames: ["red", "green"], imageShape: [3, 16, 16] },
    { train: part(64), validation: part(32), test: part(40) },
    { files: [], citation: "made by the test", licence: "none needed" },
  );
}

function job(stages: StageStore, options = asic, signal?: AbortSignal): Promise<CoSearchResult> {
  return runCoSearch({ options, dataset, runtime, random: createRandomStream(7), stages, watch: { signal } });
}

describe("co-search", () => {
  it("gives a network, an accelerator within its area, a mapping a layer, and the reference beside it", async () => {
    const { found, baselines, constraints, effort: spent } = await job(createMemoryStages());
    expect(constraints).toMatchObject([{ name: "areaMm2", met: true }]);
    expect(baselines.map(({ name }) => name)).toEqual(["resnet8"]);
    expect(found.layers.every(({ mapping, cost }) => mapping !== undefined && cost?.ok === true)).toBe(true);
    expect(found.hardware.edpJouleSeconds).toBeCloseTo(
      found.hardware.energyPj! * 1e-12 * (found.hardware.latencyCycles / found.hardware.clockHz),
      12,
    );
    expect(found.layers.reduce((sum, { latencyCycles }) => sum + latencyCycles, 0)).toBe(found.hardware.latencyCycles);
    expect(spent.trainingMacs).toBeLessThanOrEqual(effort.trainingMacs);
    expect(spent.trainingMacs).toBeGreaterThan(0.8 * effort.trainingMacs);
    expect(found.testPredictions).toHaveLength(40);
  });

  it("ends with the same bits after being cancelled at every step and resumed", async () => {
    const whole = await job(createMemoryStages());
    const stages = createMemoryStages();
    let saves = 0;
    let finished: CoSearchResult | undefined;
    while (!finished) {
      const controller = new AbortController();
      const interrupting: StageStore = {
        load: (name) => stages.load(name),
        save: async (name: string, checkpoint: Checkpoint) => {
          await stages.save(name, checkpoint);
          if (++saves % 5 === 0) controller.abort(new Error("interrupted"));
        },
      };
      finished = await job(interrupting, asic, controller.signal).catch((error: Error) => {
        expect(error.message).toBe("interrupted");
        return undefined;
      });
    }
    expect(saves).toBeGreaterThan(10);
    expect(finished.found.onnx).toEqual(whole.found.onnx);
    expect(finished.trace).toEqual(whole.trace);
    expect(JSON.stringify(finished.baselines.map(({ hardware }) => hardware))).toBe(
      JSON.stringify(whole.baselines.map(({ hardware }) => hardware)),
    );
  });

  it("designs a pipeline for a board by the exact solver", async () => {
    const options = coSearchOptionsSchema.parse({
      target: { kind: "fpga" },
      constraints: { dsp: 300, bram: 400 },
      objective: "framesPerSecond",
      effort,
    });
    const { found, constraints } = await job(createMemoryStages(), options);
    expect(constraints.map(({ name, met }) => [name, met])).toEqual([
      ["dsp", true],
      ["bram", true],
    ]);
    expect(found.hardware.framesPerSecond).toBeGreaterThan(0);
    expect(found.layers.every(({ chunk }) => chunk !== undefined)).toBe(true);
  });

  it("says how near it came when a bound cannot be met, and when the effort is too small", async () => {
    const options = { ...asic, constraints: { ...asic.constraints, areaMm2: 0.01 } };
    await expect(job(createMemoryStages(), options)).rejects.toThrow(
      /constraints\.areaMm2: .*at least 0\.\d+ mm².*received 0\.01000 mm²/,
    );
    const small = { ...asic, effort: { ...asic.effort, trainingMacs: 1e7 } };
    const stages = createMemoryStages();
    await expect(job(stages, small)).rejects.toThrow(/effort\.trainingMacs: the search and .*at least \d+, received 1/);
    expect(await stages.load("search")).toBeUndefined();
  });
});
