import { DovetailError } from "@dovetail/core";
import { adderConvFunction, GraphBuilder, modelOf, tensorFromData, tensorNumbers, writeModel } from "@dovetail/graph";
import { expect, it } from "vitest";
import { openModel } from "./open-model.js";

function reluModel(): Uint8Array {
  const g = new GraphBuilder("relu");
  const x = g.input("x", "float32", ["batch", 2]);
  g.output(g.op("Relu", [x]), "y");
  return writeModel(modelOf(g.build()));
}

it("runs a model as it stands", async () => {
  const model = await openModel(reluModel(), { threads: 1 });
  expect(model.inputNames).toEqual(["x"]);
  expect(model.outputNames).toEqual(["y"]);
  const { y } = await model.run({ x: tensorFromData("float32", [2, 2], Float32Array.of(-1, 2, 3, -4)) });
  expect(y!.dimensions).toEqual([2, 2]);
  expect(tensorNumbers(y!)).toEqual([0, 2, 3, 0]);
  await model.release();
});

it("refuses what is no model, and inputs of another shape, as the user's failure", async () => {
  await expect(openModel(Uint8Array.of(1, 2, 3))).rejects.toThrow(DovetailError);
  const model = await openModel(reluModel(), { threads: 1 });
  const wrong = model.run({ x: tensorFromData("float32", [1, 3], new Float32Array(3)) });
  await expect(wrong).rejects.toThrow("ONNX Runtime refuses the inputs");
  await model.release();
});

it("runs a file whose sums go through ONNX Runtime and kernels in turn, with any batch", async () => {
  const g = new GraphBuilder("two");
  const x = g.input("x", "float32", ["batch", 1, 2, 2]);
  const window = { kernel_shape: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1] };
  const weight = (value: number, name: string) =>
    g.constant(tensorFromData("float32", [1, 1, 1, 1], Float32Array.of(value)), name);
  const first = g.ownNode("AdderConv", [x, weight(1, "first")], window)[0]!;
  g.output(g.ownNode("AdderConv", [g.neg(first), weight(2, "second")], window)[0]!, "y");
  const bytes = writeModel({ ...modelOf(g.build()), functions: [adderConvFunction()] });
  const model = await openModel(bytes, { threads: 1 });
  expect(model.inputNames).toEqual(["x"]);
  expect(model.outputNames).toEqual(["y"]);
  for (const batch of [1, 3]) {
    const data = Float32Array.from({ length: 4 * batch }, (_, index) => index);
    const { y } = await model.run({ x: tensorFromData("float32", [batch, 1, 2, 2], data) });
    expect(y!.dimensions).toEqual([batch, 1, 2, 2]);
    expect(tensorNumbers(y!)).toEqual([...data].map((value) => 0 - Math.abs(Math.abs(value - 1) - 2)));
  }
  await expect(model.run({ x: tensorFromData("float32", [1, 2, 2, 2], new Float32Array(8)) })).rejects.toThrow(
    'input "x"',
  );
  await model.release();
});
