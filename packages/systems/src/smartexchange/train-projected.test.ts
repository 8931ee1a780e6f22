import { storageOf, unpackTensor } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { eliminateDeadCode, tensor } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import type { Checkpoint } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { type MethodName, prepareMethod } from "./methods.js";
import { straightThroughNetwork } from "./straight-through.js";
import { type ProjectedTrainingOptions, trainProjected } from "./train-projected.js";

const dataset = stripes({ train: 64, validation: 24, test: 40 });
const network = resNet({ depth: 8, classCount: 4, pixels: { height: 8, width: 8 } });
const first = initializeParameters(network, createRandomStream(1));
const settings = { equalBits: 4, factorization: "channel", groupFilters: 1 } as const;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const options = async (
  method: MethodName,
  changes: Partial<ProjectedTrainingOptions> = {},
): Promise<ProjectedTrainingOptions> => ({
  ...(await prepareMethod(method, network, first, settings)),
  runtime,
  dataset,
  epochs: 2,
  batchSize: 16,
  learningRate: 0.02,
  random: createRandomStream(3),
  ...changes,
});

describe("retraining in compressed form", () => {
  it.each<[method: MethodName, basisEpochs: number]>([
    ["smartexchange", 0],
    ["smartexchange", 1],
    ["smartexchange", 2],
    ["pruning", 0],
  ])(
    "%s, %i epochs of bases: ends in its form, and gives the same bits after a break",
    { timeout: 120_000 },
    async (method, basisEpochs) => {
      const checkpoints: Checkpoint[] = [];
      const onCheckpoint = async (checkpoint: Checkpoint) => void checkpoints.push(checkpoint);
      const whole = await trainProjected(await options(method, { onCheckpoint, basisEpochs }));
      const kind = method === "pruning" ? "integers" : "structured";
      expect(whole.final.tensors.get("stage2.0.first.conv.weight")!.kind).toBe(kind);
      const { bits } = storageOf((await (await options(method)).projection.project(first)).tensors);
      expect(storageOf(whole.final.tensors).bits).toBeLessThanOrEqual(bits * 1.01);
      for (const [name, tensor] of whole.final.weights)
        expect(unpackTensor(whole.final.tensors.get(name)!)).toEqual(tensor);
      expect(whole.losses.length).toBe(2);
      expect(checkpoints.length).toBe(2);
      for (const resume of checkpoints) {
        expect(await trainProjected(await options(method, { resume, basisEpochs }))).toEqual(whole);
      }
    },
  );

  it("trains bases and leaves the coefficients as they were", async () => {
    const { projection } = await options("smartexchange");
    const { tensors: before } = await projection.project(first);
    const { final } = await trainProjected(await options("smartexchange", { basisEpochs: 2 }));
    let moved = 0;
    for (const [name, packed] of final.tensors) {
      if (packed.kind !== "structured") continue;
      const { layer } = before.get(name) as typeof packed;
      expect(packed.layer.codes).toEqual(layer.codes);
      moved += packed.layer.bases.filter((value, index) => value !== layer.bases[index]).length;
    }
    expect(moved).toBeGreaterThan(1000);
  });

  it("recalibrates running statistics, and nothing else", async () => {
    const { final: plain } = await trainProjected(await options("smartexchange", { epochs: 0 }));
    const { final } = await trainProjected(await options("smartexchange", { epochs: 0, recalibrationSteps: 5 }));
    for (const [name, tensor] of plain.weights) {
      if (/running/.test(name)) expect(final.weights.get(name)).not.toEqual(tensor);
      else expect(final.weights.get(name)).toEqual(tensor);
      expect(unpackTensor(final.tensors.get(name)!)).toEqual(final.weights.get(name));
    }
  });

  it.each<MethodName>(["pruning", "quantization", "low-rank"])(
    "%s: computes in every step with the very weights that are stored",
    async (method) => {
      const { projection, layers, network: prepared, weights } = await prepareMethod(method, network, first, settings);
      const projected = await projection.project(weights);
      const through = straightThroughNetwork(prepared, layers, projected.tensors);
      const { graph } = through.network;
      const weightOf = new Map(prepared.graph.nodes.map(({ name, inputs }) => [name, inputs[1]!]));
      const read = graph.nodes.filter(({ name }) => layers.some((layer) => layer.name === weightOf.get(name)));
      const outputs = read.map(({ inputs }) => ({ name: inputs[1]!, type: graph.types.get(inputs[1]!)! }));
      const state = runtime.createState(new Map([...weights, ...through.form(projected.tensors)]));
      const segment = await runtime.compile(eliminateDeadCode({ ...graph, outputs }), { state });
      const found = await segment.run({ [prepared.image]: tensor("float32", [1, 3, 8, 8], new Float32Array(192)) });
      await segment.release();
      for (const { name, inputs } of read) {
        const expected = projected.weights.get(weightOf.get(name)!)!.data as Float32Array;
        const values = found[inputs[1]!]!.data as Float32Array;
        // Halves are rounded to even there, up here: a few codes differ by one.
        const different = values.filter((value, index) => Math.abs(value - expected[index]!) > 1e-5).length;
        expect(different / values.length).toBeLessThan(1e-3);
      }
      expect(read.length).toBe(layers.length);
    },
  );
});
