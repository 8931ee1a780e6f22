import { bakeShiftWeights } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { readModel, tensor, tensorNumbers, writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters, networkOfModel } from "@dovetail/models";
import { createRuntime, openModel } from "@dovetail/runtime";
import { createPredictor } from "@dovetail/train";
import { expect, it } from "vitest";
import { fixedPointNetwork } from "./fixed-point.js";
import { countOperations, isAddLayer, shiftAddNetwork } from "./networks.js";

const options = { depth: 8, widths: [4, 4, 6], pixels: { height: 8, width: 8 } };

it.each(["float32", "fixed point"])("travels as ONNX that any ONNX Runtime runs, in %s", async (form) => {
  const runtime = await createRuntime({ threads: 1 });
  const plain = shiftAddNetwork("shiftAdd", options);
  const trained = form === "float32" ? plain : fixedPointNetwork(plain);
  const start = initializeParameters(trained, createRandomStream(1));
  // Scales and statistics as after a training: what add layers put out is negative and large.
  for (const { name, role, shape } of trained.parameters) {
    const ofAdds = name.startsWith("stage") ? { runningMean: -45, runningVariance: 100 } : {};
    const value = ({ activationRange: 8, ...ofAdds } as Record<string, number>)[role];
    if (value !== undefined) start.set(name, tensor("float32", shape, Array(shape[0] ?? 1).fill(value)));
  }
  const { network, weights } = await bakeShiftWeights({ runtime, network: trained, weights: start });
  const bytes = writeModel(exportModel(network, weights));
  const read = readModel(bytes);
  const own = read.graph.nodes.filter(({ domain }) => domain !== "");
  expect(own.length).toBe(8);
  expect(own.every(isAddLayer)).toBe(true);
  expect(read.functions.map(({ domain, name }) => `${domain}.${name}`)).toEqual(["ai.dovetail.AdderConv"]);

  const draw = createRandomStream(2);
  const image = tensor(
    "float32",
    [2, 3, 8, 8],
    [...Array(384)].map(() => 255 * draw.uniform()),
  );
  const predictor = await createPredictor({ runtime, network: trained, weights: start });
  const expected = await predictor.predict(image);
  expect(new Set(expected.map((value) => Math.round(1e4 * value))).size).toBeGreaterThan(10);
  const tolerance = form === "float32" ? 1e-4 : 0.02;
  for (const kernels of [false, true]) {
    const opened = await openModel(bytes, { threads: 1, kernels });
    const { logits } = await opened.run({ image });
    await opened.release();
    tensorNumbers(logits!).forEach((value, index) => {
      const allowed = tolerance * Math.max(1, Math.abs(expected[index]!));
      expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(allowed);
    });
  }
  if (form === "float32") {
    // Read back, it says itself which layers shift and which add.
    expect(countOperations(networkOfModel(read).network)).toEqual(countOperations(plain));
  }
  await predictor.release();
  await runtime.release();
});
