import { mkdirSync, writeFileSync } from "node:fs";
import sharp, { type Sharp } from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { type ColourModelOptions, colourModel, colours } from "../testing/tiny-networks.js";

useTemporaryFolder();

const values: Record<string, [number, number, number]> = {
  red: [220, 30, 40],
  green: [20, 200, 60],
  blue: [10, 60, 240],
};

function picture(colour: string, width = 20, height = 12): Sharp {
  const [r, g, b] = values[colour]!;
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } });
}

beforeAll(async () => {
  for (const part of ["train", "test"]) {
    for (const colour of colours) {
      mkdirSync(`photos/${part}/${colour}`, { recursive: true });
      for (let index = 0; index < 3; index++)
        await picture(colour).png().toFile(`photos/${part}/${colour}/${index}.png`);
    }
  }
  // One blue test image is called green.
  await picture("blue").png().toFile("photos/test/green/2.png");
});

const evaluate = async (options: ColourModelOptions, ...more: string[]) => {
  writeFileSync("model.onnx", colourModel(options));
  return runCommand([
    ...["eval", "model.onnx", "--data", "image-folder:photos", "--quiet", "--json"],
    ...["--data-option", "validationImagesPerClass=1", ...more],
  ]);
};

describe("dovetail eval", () => {
  const ways: [string, ColourModelOptions, string[]][] = [
    ["channels first", {}, []],
    ["channels last", { layout: "channels-last" }, []],
    ["bytes", { elementType: "uint8" }, []],
    ["values from 0 to 1", { white: 1 }, ["--pixel-range", "0,1"]],
    ["batches of four", { batch: 4 }, []],
    ["a softmax", { softmax: true }, []],
  ];
  it.each(ways)("counts right answers of a model with %s", async (_, options, more) => {
    const { exitCode, stdout, stderr } = await evaluate(options, ...more);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const result = JSON.parse(stdout);
    // Classes of a folder are in the order of their names: blue, green, red; the model's are red, green, blue.
    expect(result.confusion).toEqual([
      [0, 0, 3],
      [0, 2, 1],
      [3, 0, 0],
    ]);
    expect(result).toMatchObject({ images: 9, accuracyFraction: 2 / 9 });
  });

  it("prints a line a class", async () => {
    writeFileSync("model.onnx", colourModel());
    const { stdout } = await runCommand(["eval", "model.onnx", "--data", "image-folder:photos", "--quiet"]);
    expect(stdout).toContain("green       3        2   66.67 %\n");
    expect(stdout).toMatch(/accuracy 22\.22 % on 9 test images \(95 % interval 6\.\d\d % to 54\.\d\d %\)\n$/);
  });

  it("says when a model and a data set do not go together", async () => {
    writeFileSync("model.onnx", colourModel());
    const { exitCode, stderr } = await runCommand(["eval", "model.onnx", "--quiet"]);
    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      "error: model.onnx: the model does not fit the data set: " +
        "expected images of 3×32×32, 10 classes (cifar10), received images of 3×8×8, 3 classes\n",
    );
  });
});

describe("dovetail predict", () => {
  it("names the most probable classes of images of any size and format", async () => {
    writeFileSync("model.onnx", colourModel({ classNames: ["rosso", "verde", "azzurro"] }));
    await picture("green", 300, 100).jpeg().toFile("a.jpg");
    await picture("blue", 5, 9).webp({ lossless: true }).toFile("b.webp");
    const { stdout } = await runCommand(["predict", "model.onnx", "a.jpg", "b.webp", "--top", "2"]);
    expect(stdout).toMatch(
      /^a\.jpg: verde \d+\.\d %, azzurro \d+\.\d %\nb\.webp: azzurro \d+\.\d %, verde \d+\.\d %\n$/,
    );
  });

  it("gives probabilities that add up to one, whether or not the model ends in a softmax", async () => {
    await picture("red").png().toFile("red.png");
    const results = [];
    for (const softmax of [false, true]) {
      writeFileSync("model.onnx", colourModel({ softmax }));
      results.push(JSON.parse((await runCommand(["predict", "model.onnx", "red.png", "--json"])).stdout)[0].classes);
    }
    expect(results[0][0].name).toBe("red");
    for (const classes of results) {
      expect(
        classes.reduce((sum: number, { probability }: { probability: number }) => sum + probability, 0),
      ).toBeCloseTo(1);
    }
    expect(results[1][0].probability).toBeCloseTo(results[0][0].probability, 6);
  });
});
