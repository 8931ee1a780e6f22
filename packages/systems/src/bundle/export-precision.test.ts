import { createRandomStream } from "@dovetail/core";
import { tensorFromData } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { createRuntime, openModel } from "@dovetail/runtime";
import { createPredictor } from "@dovetail/train";
import { expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import { exportPrecision } from "./export-precision.js";

const base = resNet({ depth: 8, widths: [6, 8, 8], classCount: 4, pixels: { height: 8, width: 8 } });
const switchable = switchableNetwork(base, { bitWidths: [4, 8, 16, 32] });

it("writes what the switchable network computes: exactly in float, nearly in integers", async () => {
  const runtime = await createRuntime({ threads: 1 });
  const dataset = stripes({ train: 32, validation: 8, test: 16 });
  const random = createRandomStream(3);
  const weights = new Map([
    ...initializeParameters(switchable.network, random),
    ...spreadOverPrecisions(switchable, initializeParameters(base, random)),
  ]);
  // Ranges in which all activations lie, as training would have found them.
  for (const { name, role, shape } of switchable.network.parameters) {
    if (role !== "activationRange") continue;
    const count = shape.reduce((product, size) => product * size, 1);
    weights.set(name, tensorFromData("float32", shape, new Float32Array(count).fill(name.endsWith(":min") ? 0 : 40)));
  }
  const images = tensorFromData("float32", [16, 3, 8, 8], Float32Array.from(dataset.images("test")));
  const error = async (bits: number): Promise<{ form: string; relative: number }> => {
    const scalars = switchable.setting(bits);
    const predictor = await createPredictor({ runtime, network: switchable.network, weights, scalars });
    const expected = await predictor.predict(images);
    await predictor.release();
    const { onnx, form } = await exportPrecision({ runtime, base, switchable, weights, bits, dataset });
    const model = await openModel(onnx, { threads: 1 });
    const outputs = await model.run({ [model.inputNames[0]!]: images });
    await model.release();
    const logits = outputs[model.outputNames[0]!]!.data as Float32Array;
    const norm = (values: Iterable<number>): number => Math.hypot(...values);
    return { form, relative: norm(expected.map((value, index) => value - logits[index]!)) / norm(expected) };
  };
  const [four, eight, sixteen, full] = [await error(4), await error(8), await error(16), await error(32)];
  await runtime.release();
  expect([four, eight, sixteen, full].map(({ form }) => form)).toEqual(["float", "qdq", "qdq", "float"]);
  expect(four.relative).toBeLessThan(1e-4);
  expect(full.relative).toBeLessThan(1e-4);
  // 0.016 was seen before this limit was set: values beyond the calibrated ranges are clipped, at any bits.
  expect(sixteen.relative).toBeLessThan(0.05);
  expect(eight.relative).toBeLessThan(0.1);
  expect(sixteen.relative).toBeLessThan(eight.relative);
});
