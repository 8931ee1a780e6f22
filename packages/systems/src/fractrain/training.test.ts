import { createRandomStream } from "@dovetail/core";
import { resNet } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { type Checkpoint, constant, createDataset, type ImageDataset } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MethodInput, methodOf } from "./methods.js";
import { type MethodTrainingOptions, trainByMethod } from "./training.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const size = 8;

/** Two classes that differ in brightness. */
function dataset(): ImageDataset {
  const random = createRandomStream(1);
  const part = (count: number) => {
    const labels = Uint8Array.from({ length: count }, (_, index) => index % 2);
    const images = Uint8Array.from({ length: count * 3 * size * size }, (_, index) => {
      const label = labels[Math.floor(index / (3 * size * size))]!;
      return random.integer(100) + 100 * label;
    });
    return { images, labels };
  };
  return createDataset(
    "brightness",
    { classNames: ["dark", "bright"], imageShape: [3, size, size] },
    { train: part(32), validation: part(2), test: part(16) },
    { files: [], citation: "", licence: "" },
  );
}

const options = (method: MethodInput): MethodTrainingOptions => ({
  runtime,
  dataset: dataset(),
  network: resNet({ depth: 8, classCount: 2, pixels: { height: size, width: size } }),
  method: methodOf(method),
  steps: 6,
  batchSize: 8,
  learningRate: constant(0.05),
  random: createRandomStream(2),
});

// Three trainings are compiled a case: seconds, but minutes on a machine with much else to do.
describe("a training that is interrupted goes on to the same bits and the same counts", { timeout: 300_000 }, () => {
  it.each([
    { kind: "pfq", epochSteps: 1, epsilon: 5 },
    { kind: "fractrain", epochSteps: 1, epsilon: 5 },
  ] as const)("$kind", async (method) => {
    const whole = await trainByMethod(options(method));
    expect(whole.figures.turningPoints.length).toBeGreaterThan(0);

    let saved: Checkpoint | undefined;
    const abort = new AbortController();
    const checkpoint = {
      load: async () => saved,
      save: async (given: Checkpoint) => {
        saved = given;
      },
    };
    const watch = {
      signal: abort.signal,
      onProgress: ({ done }: { done: number }) => {
        if (done === 3) abort.abort(new Error("interrupted"));
      },
    };
    await expect(trainByMethod({ ...options(method), checkpoint, watch })).rejects.toThrow("interrupted");
    const resumed = await trainByMethod({ ...options(method), checkpoint });
    expect(resumed.figures).toEqual(whole.figures);
    for (const [name, { data }] of whole.weights) expect(resumed.weights.get(name)!.data, name).toEqual(data);
  });
});

describe("counts of a training", () => {
  it.each([
    ["float32", 100],
    ["static", 6.25],
  ] as const)("of %s are those of its bits", async (kind, percent) => {
    const { figures } = await trainByMethod(options({ kind }));
    const share = (100 * figures.bitMacs) / figures.float32Macs;
    // The classifier is in full precision: 128 of some 2.3 million multiply-accumulates.
    expect(share).toBeGreaterThanOrEqual(percent - 1e-9);
    expect(share).toBeLessThan(percent + 0.02);
    expect(figures.layers.every(({ precisions }) => precisions[0]!.images === 48)).toBe(true);
  });

  it("of gates add up to the images, skipped ones left out", async () => {
    const { figures, prepared } = await trainByMethod(options({ kind: "dfq" }));
    const { choices, layers } = prepared.gated!;
    for (const { name, block } of layers) {
      const { precisions } = figures.layers.find((layer) => layer.name === name)!;
      const ran = precisions.reduce((sum, { images }) => sum + images, 0);
      expect(ran).toBe(Math.round(48 * (1 - figures.trainingChoices![block]![0]!)));
    }
    expect(choices[0]).toEqual({ activationBits: 0, gradientBits: 0 });
    expect(figures.accuracyFraction).toBeGreaterThanOrEqual(0);
  });
});
