import { DovetailError } from "@dovetail/core";
import { GraphBuilder, modelOf, tensorFromData, tensorNumbers, writeModel } from "@dovetail/graph";
import { expect, it } from "vitest";
import { openModel } from "./model.js";

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
