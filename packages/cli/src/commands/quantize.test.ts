import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { GraphBuilder, modelOf, readModel, tensor, writeModel } from "@dovetail/graph";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

useTemporaryFolder();

const colours: Readonly<Record<string, readonly [number, number, number]>> = {
  blue: [10, 60, 240],
  green: [20, 200, 60],
  red: [220, 30, 40],
};

beforeAll(async () => {
  for (const part of ["train", "test"]) {
    for (const [colour, [r, g, b]] of Object.entries(colours)) {
      mkdirSync(`photos/${part}/${colour}`, { recursive: true });
      for (let index = 0; index < 4; index++) {
        const background = { r: r - 2 * index, g: g + 3 * index, b: b - index };
        await sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toFile(`photos/${part}/${colour}/${index}.png`);
      }
    }
  }
  writeFileSync("model.onnx", colourConvolution(255));
  writeFileSync("unit.onnx", colourConvolution(1));
});

/** A 1×1 convolution that turns the channels round, a mean over the image, and scores: blue, green, red. */
function colourConvolution(white: number): Uint8Array {
  const g = new GraphBuilder("colours");
  const image = g.input("image", "float32", ["batch", 3, 8, 8]);
  const weight = g.constant(
    tensor(
      "float32",
      [3, 3, 1, 1],
      [0, 0, 1, 0, 1, 0, 1, 0, 0].map((w) => w / white),
    ),
    "weight",
  );
  const bias = g.constant(tensor("float32", [3], [0.1, 0, -0.1]), "bias");
  const features = g.flatten(g.globalAveragePool(g.relu(g.conv(image, weight, bias))));
  const classifier = g.constant(tensor("float32", [3, 3], [9, -1, -1, -1, 9, -1, -1, -1, 9]), "classifier");
  g.output(g.gemm(features, classifier), "scores");
  const metadata = new Map([["classNames", JSON.stringify(["blue", "green", "red"])]]);
  return writeModel(modelOf(g.build(), { metadata }));
}

const data = ["--data", "image-folder:photos", "--data-option", "validationImagesPerClass=1", "--quiet"];
const quantize = (...more: string[]) => runCommand(["quantize", ...more, ...data]);

describe("dovetail quantize", () => {
  it("writes a model whose accuracy is what eval measures, and says what changed", async () => {
    const { exitCode, stdout, stderr } = await quantize("model.onnx", "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      model: "model.onnx",
      output: "model-w8a8.onnx",
      weightBits: 8,
      activationBits: 8,
      calibrationImages: 9,
      images: 12,
      before: { accuracyFraction: 1 },
      after: { accuracyFraction: 1 },
      changedPredictions: 0,
    });
    expect(result.after.bytes).toBe(readFileSync("model-w8a8.onnx").length);
    const evaluated = JSON.parse((await runCommand(["eval", "model-w8a8.onnx", ...data, "--json"])).stdout);
    expect(evaluated.loss).toBe(result.after.loss);
    expect(evaluated.loss).not.toBe(result.before.loss);
    const { graph, metadata } = readModel(readFileSync("model-w8a8.onnx"));
    expect(graph.nodes.filter(({ operator }) => operator === "QuantizeLinear").length).toBeGreaterThan(2);
    expect(JSON.parse(metadata.get("classNames")!)).toEqual(["blue", "green", "red"]);
  });

  it("takes other widths, for weights and activations apart", async () => {
    const { stdout } = await quantize("model.onnx", "--weight-bits", "4", "--bits", "12", "-o", "small.onnx");
    expect(stdout).toContain("weights 4, activations 12 bits");
    expect(stdout).toMatch(/wrote small\.onnx\n$/);
    const { graph } = readModel(readFileSync("small.onnx"));
    const types = new Set([...graph.initializers.values()].map(({ elementType }) => elementType));
    for (const type of ["int4", "uint16"]) expect(types).toContain(type);
  });

  it("measures ranges on what the model takes for a pixel", async () => {
    const { stdout } = await quantize("unit.onnx", "--pixel-range", "0,1", "--json");
    const unit = JSON.parse(stdout);
    const raw = JSON.parse((await quantize("model.onnx", "--json")).stdout);
    expect(unit.after.accuracyFraction).toBe(1);
    expect(unit.after.loss).toBeCloseTo(raw.after.loss, 3);
  });

  it("writes nothing when something is wrong", async () => {
    const bits = await quantize("model.onnx", "--bits", "17", "-o", "wrong.onnx");
    expect(bits).toMatchObject({ exitCode: 2 });
    expect(bits.stderr).toContain("Expected a whole number from 2 to 16.");
    const mismatch = await runCommand(["quantize", "model.onnx", "--quiet", "-o", "wrong.onnx"]);
    expect(mismatch.stderr).toContain("the model does not fit the data set");
    writeFileSync("broken.onnx", "no model");
    expect((await quantize("broken.onnx", "-o", "wrong.onnx")).exitCode).toBe(2);
    expect(existsSync("wrong.onnx")).toBe(false);
  });
});
