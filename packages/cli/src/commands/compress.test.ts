import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import { readModel, writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters, resNet } from "@dovetail/models";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

useTemporaryFolder();

beforeAll(async () => {
  for (const part of ["train", "test"]) {
    for (const [index, colour] of ["blue", "green", "red"].entries()) {
      mkdirSync(`photos/${part}/${colour}`, { recursive: true });
      for (let image = 0; image < 4; image++) {
        const background = { r: index === 2 ? 220 : 10 * image, g: index === 1 ? 200 : 20, b: index === 0 ? 240 : 30 };
        await sharp({ create: { width: 8, height: 8, channels: 3, background } })
          .png()
          .toFile(`photos/${part}/${colour}/${image}.png`);
      }
    }
  }
  const network = resNet({ depth: 8, classCount: 3, pixels: { height: 8, width: 8 } });
  const weights = initializeParameters(network, createRandomStream(1));
  writeFileSync("model.onnx", writeModel(exportModel(network, weights, { classNames: ["blue", "green", "red"] })));
});

const data = ["--data", "image-folder:photos", "--data-option", "validationImagesPerClass=1"];
const compress = (...more: string[]) => runCommand(["compress", ...more, "--quiet"]);

describe("dovetail compress", () => {
  it("writes a packed network, and the model that it stands for", async () => {
    const { exitCode, stdout, stderr } = await compress("model.onnx", "--json");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ output: "model-smartexchange", method: "smartexchange", epochs: 0 });
    expect(result.compressionRate).toBeGreaterThan(6);
    expect(result.layers.length).toBe(10);
    expect(JSON.parse(readFileSync("model-smartexchange/compression.json", "utf8"))).toEqual(result);
    expect(readFileSync("model-smartexchange/network.packed").length).toBe(result.packedBytes);
    const onnx = readFileSync("model-smartexchange/network.onnx");
    const { graph, metadata } = readModel(onnx);
    expect(metadata.get("classNames")).toBe('["blue","green","red"]');
    expect([...graph.annotations.values()].filter(({ structured }) => structured).length).toBe(10);
    const rebuilt = await compress("model-smartexchange/network.packed", "-o", "again.onnx");
    expect(rebuilt).toMatchObject({ exitCode: 0, stdout: "wrote again.onnx\n" });
    expect(readFileSync("again.onnx").equals(onnx)).toBe(true);
  });

  it.each([
    ["smartexchange", "8", []],
    ["smartexchange", "8", ["--basis-epochs", "1", "--no-flip", "--crop-padding", "0"]],
    ["prune", "12", []],
    ["low-rank", "9", []],
  ])(
    "%s: retrains at a rate of %s %j, the accuracy being the file's own",
    { timeout: 60_000 },
    async (method, rate, more) => {
      const output = `${method}-retrained-${more.length}`;
      const settings = ["--method", method, "--rate", rate, "--epochs", "2", "--batch-size", "3", "-o", output];
      const { exitCode, stdout, stderr } = await compress("model.onnx", ...settings, ...more, ...data, "--json");
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      const result = JSON.parse(stdout);
      expect(result.compressionRate).toBeGreaterThanOrEqual(Number(rate));
      expect(result.compressionRate).toBeLessThan(1.15 * Number(rate));
      const evaluated = await runCommand(["eval", `${output}/network.onnx`, ...data, "--json", "--quiet"]);
      expect(JSON.parse(evaluated.stdout).accuracyFraction).toBe(result.accuracyAfter);
    },
  );

  it("says what is wrong, and writes nothing", async () => {
    const noRate = await compress("model.onnx", "--method", "prune", "-o", "wrong");
    expect(noRate).toMatchObject({ exitCode: 2 });
    expect(noRate.stderr).toContain("--rate: prune needs a compression rate");
    expect((await compress("model.onnx", "--epochs", "1", "-o", "wrong")).stderr).toContain("retraining needs images");
    for (const method of ["smartexchange", "prune", "low-rank"]) {
      const small = await compress("model.onnx", "--method", method, "--rate", "900", "-o", "wrong");
      expect(small).toMatchObject({ exitCode: 2 });
      expect(small.stderr).toMatch(
        /^error: model\.onnx: the network cannot be made as small by this method: expected a rate of at most [\d.]+: .*, received 900\.00\n$/,
      );
      const most = /at most (\d+\.\d+)/.exec(small.stderr)![1]!;
      const reached = await compress(
        "model.onnx",
        "--method",
        method,
        "--rate",
        most,
        "-o",
        `most-${method}`,
        "--json",
      );
      expect(JSON.parse(reached.stdout).compressionRate).toBeGreaterThanOrEqual(Number(most));
    }
    writeFileSync("broken.packed", readFileSync("model-smartexchange/network.packed").subarray(0, 5000));
    const broken = await compress("broken.packed", "-o", "wrong");
    expect(broken).toMatchObject({ exitCode: 2 });
    expect(broken.stderr).toContain("broken.packed: contents do not have the stated hash");
    expect(existsSync("wrong")).toBe(false);
  });
});
