import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import { readModel, writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters, resNet } from "@dovetail/models";
import { convertLayers } from "@dovetail/systems";
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

  it("replaces nothing that it was not asked to, and finds that out before its work", async () => {
    mkdirSync("mine");
    writeFileSync("mine/notes.txt", "mine");
    writeFileSync("taken", "a file");
    expect((await compress("model.onnx", "-o", "mine")).stderr).toContain("received a folder with other files");
    expect((await compress("model.onnx", "-o", "taken")).stderr).toContain("received a file");
    expect((await compress("model.onnx", "-o", "")).stderr).toContain("received an empty one");
    const own = ["model-smartexchange", "-o", "model-smartexchange"];
    expect((await compress(...own)).stderr).toContain("would be replaced by its compressed form");
    expect((await compress("model.onnx", "-o", "model-smartexchange")).exitCode).toBe(0);
    // A name that says nothing is its folder's.
    expect(JSON.parse((await compress("model-smartexchange", "--json")).stdout).output).toBe(
      "model-smartexchange-smartexchange",
    );
    const packed = "model-smartexchange/network.packed";
    expect((await compress(packed, "-o", packed)).stderr).toContain("network.packed, which is there");
    expect((await runCommand(["layers", packed])).stderr).toContain("this is a packed network");
  });

  it.each([
    [["--scope", "layer"], "--scope: this option would change nothing: expected --method prune"],
    [["--method", "prune", "--rate", "9", "--exponents", "3"], "--exponents: this option would change nothing"],
    [["--rows", "share"], "--rows: this option would change nothing: expected --row-bar"],
    [["--part", "train"], "--part: this option would change nothing: expected --data"],
    [["--basis-epochs", "1"], "--basis-epochs: this option would change nothing: expected --epochs"],
    [["--rate", "9", "--row-bar", "0.5"], "rows are chosen by a rate or by a bar, not by both"],
  ])("refuses %j, which would mean nothing", async (options, message) => {
    const { exitCode, stderr } = await compress("model.onnx", ...options, "-o", "wrong");
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync("wrong")).toBe(false);
  });

  it.each([9, 12])("with fewer exponents reaches a rate of %i, and not much more", async (rate) => {
    const settings = ["--exponents", "3", "--rate", `${rate}`, "-o", `exponents-${rate}`, "--json"];
    const { compressionRate } = JSON.parse((await compress("model.onnx", ...settings)).stdout);
    expect(compressionRate).toBeGreaterThanOrEqual(rate);
    expect(compressionRate).toBeLessThan(1.05 * rate);
  });

  it("notes the new form of weights that had another one, and nothing of the old one", async () => {
    await compress("model.onnx", "--method", "prune", "--rate", "12", "-o", "pruned");
    const notesOf = (folder: string, name: string) =>
      readModel(readFileSync(`${folder}/network.onnx`)).graph.annotations.get(name)!;
    const layer = "stage2.0.first.conv.weight";
    expect(notesOf("pruned", layer)).toMatchObject({ bitWidth: 8 });
    await compress("pruned", "-o", "structured");
    expect(Object.keys(notesOf("structured", layer))).toEqual(["structured"]);
    await compress("structured", "--method", "prune", "--rate", "12", "-o", "again");
    expect(Object.keys(notesOf("again", layer)).sort()).toEqual(["bitWidth", "sparsityFraction"]);
  });

  it("leaves add layers as they are, with their body for any ONNX Runtime", async () => {
    const network = convertLayers(resNet({ depth: 8, classCount: 3, pixels: { height: 8, width: 8 } }), "add");
    const weights = initializeParameters(network, createRandomStream(1));
    writeFileSync("adder.onnx", writeModel(exportModel(network, weights)));
    expect((await compress("adder.onnx", "-o", "adder")).exitCode).toBe(0);
    const layersOf = async (file: string) => (await runCommand(["layers", file, "--json"])).stdout;
    const { layers } = JSON.parse(await layersOf("adder/network.onnx"));
    expect(layers.length).toBe(JSON.parse(await layersOf("adder.onnx")).layers.length);
    const { graph } = readModel(readFileSync("adder/network.onnx"));
    expect(graph.nodes.filter(({ operator }) => operator === "AdderConv").length).toBeGreaterThan(5);
  });

  it("names a weight that is no number", async () => {
    const network = resNet({ depth: 8, classCount: 3, pixels: { height: 8, width: 8 } });
    const weights = initializeParameters(network, createRandomStream(1));
    (weights.get("stem.conv.weight")!.data as Float32Array)[3] = Number.NaN;
    writeFileSync("nan.onnx", writeModel(exportModel(network, weights)));
    const { stderr } = await compress("nan.onnx", "--method", "prune", "--rate", "9");
    expect(stderr).toContain("nan.onnx: stem.conv.weight: a weight cannot be compressed: expected finite numbers");
  });

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
