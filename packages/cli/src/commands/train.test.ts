import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { readModel, tensorNumbers } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { decodeSafetensors } from "@dovetail/train";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { filesIn, useTemporaryFolder } from "../testing/temporary-folder.js";
import { writeTinyImages } from "../testing/tiny-images.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

beforeAll(() => {
  writeTinyImages("images", { train: 40 });
  writeFileSync("own.onnx", tinyClassifier());
});

const data = [
  ...["--data", "idx:images", "--data-option", "classNames=[top, middle, bottom]"],
  ...["--data-option", "validationImagesPerClass=4"],
];
const train = (network: string, folder: string, ...more: string[]): string[] => [
  ...["train", "--network", network, ...data, "--epochs", "3", "--batch-size", "18", "--run-folder", folder],
  ...["--no-flip", "--crop-padding", "0", "--learning-rate", "0.05", "--checkpoint-every", "2", "--quiet", ...more],
];

describe("dovetail train", () => {
  it("trains a network of the zoo and leaves a run folder that holds what it says", async () => {
    const { exitCode, stdout, stderr } = await runCommand(train("resnet8", "zoo"));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("run: zoo");
    expect(filesIn("zoo")).toEqual([
      ...["history.json", "metrics.json", "network.onnx", "timing.json", "training.yaml", "weights.safetensors"],
    ]);
    const metrics = JSON.parse(readFileSync("zoo/metrics.json", "utf8"));
    expect(metrics.task.accuracyFraction).toBeGreaterThan(0.6);
    expect(metrics.effort.optimizerSteps).toBe(3 * 6);
    expect(metrics.command).toBe(
      `dovetail ${train("resnet8", "zoo").join(" ").replace(" --run-folder zoo", "").replace(" --quiet", "").replace("classNames=[top, middle, bottom]", "'classNames=[top, middle, bottom]'")}`,
    );
    expect(Object.keys(metrics.inputs)).toEqual([
      "training.yaml",
      ...["train", "t10k"].flatMap((part) => [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`]),
    ]);
    expect(JSON.parse(readFileSync("zoo/history.json", "utf8"))).toHaveLength(3);
    const verified = await runCommand(["run", "verify", "zoo", "--quiet"]);
    expect(verified).toMatchObject({ exitCode: 0, stdout: "holds  files\nholds  inputs\nholds  accuracy\n" });
  });

  it("leaves a network that can be measured on the training's own data set", async () => {
    const { task } = JSON.parse(readFileSync("zoo/metrics.json", "utf8"));
    const { stdout } = await runCommand(["eval", "zoo", "--json", "--quiet"]);
    expect(JSON.parse(stdout).accuracyFraction).toBe(task.accuracyFraction);
    const part = await runCommand(["eval", "zoo", "--part", "validation", "--json", "--quiet"]);
    expect(JSON.parse(part.stdout).accuracyFraction).toBe(task.validationAccuracyFraction);
  });

  it("goes on after an interruption to the same bits", async () => {
    await runCommand(train("own.onnx", "alone", "--epochs", "20"));
    const stopped = await runCommand(train("own.onnx", "stopped", "--epochs", "20"), {
      interruptWhen: () => existsSync("stopped/state/train.json"),
    });
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stderr).toBe("interrupted\nwhat is done is kept; go on with: dovetail run resume stopped\n");
    expect(JSON.parse(readFileSync("stopped/state/train.json", "utf8")).state.optimizerSteps).toBeLessThan(120);
    expect(await runCommand(["run", "show", "stopped"])).toMatchObject({
      exitCode: 2,
      stderr: "error: stopped: this run is not done (go on with it: dovetail run resume stopped)\n",
    });
    const resumed = await runCommand(["run", "resume", "stopped", "--quiet"]);
    expect(resumed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(filesIn("stopped")).toEqual(filesIn("alone"));
    for (const file of filesIn("alone")) {
      if (file === "timing.json") continue;
      expect(readFileSync(`stopped/${file}`).equals(readFileSync(`alone/${file}`)), file).toBe(true);
    }
    const timing = JSON.parse(readFileSync("stopped/timing.json", "utf8"));
    expect(timing.resumptions).toBe(1);
    expect((await runCommand(["run", "resume", "stopped", "--quiet"])).stdout).toContain("run: stopped");
  });

  it("starts from the weights of the user's own file, unless asked not to", async () => {
    const losses = [];
    for (const more of [[], ["--from-scratch"]]) {
      await runCommand(train("own.onnx", `own${more.length}`, ...more));
      losses.push(JSON.parse(readFileSync(`own${more.length}/history.json`, "utf8"))[0].loss);
    }
    expect(losses[0]).not.toBe(losses[1]);
    const metrics = JSON.parse(readFileSync("own0/metrics.json", "utf8"));
    expect(Object.keys(metrics.inputs)).toContain("input.onnx");
    expect(filesIn("own0")).toContain("input.onnx");
  });

  it("trains coefficients and bases in the place of weights, and delivers the weights that they are", async () => {
    const method = ["--method", "smartdeal", "--method-option", "switchBar=2"];
    const { exitCode, stderr } = await runCommand(train("own.onnx", "factored", ...method));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const { tensors } = decodeSafetensors(readFileSync("factored/weights.safetensors"));
    const coefficients = [...tensors].filter(([name]) => name.endsWith(":coefficients"));
    expect(coefficients.length).toBeGreaterThan(0);
    for (const [name, { elementType }] of coefficients) {
      expect(elementType).toBe("int8");
      expect(tensors.has(name.replace(":coefficients", ":basis"))).toBe(true);
      expect(tensors.has(name.replace(":coefficients", ""))).toBe(false);
    }
    const { graph } = readModel(readFileSync("factored/network.onnx"));
    const noted = [...graph.annotations].filter(([, { structured }]) => structured !== undefined);
    expect(new Set(noted.map(([name]) => `${name}:coefficients`))).toEqual(new Set(coefficients.map(([name]) => name)));
    const verified = await runCommand(["run", "verify", "factored", "--quiet"]);
    expect(verified).toMatchObject({ exitCode: 0, stdout: "holds  files\nholds  inputs\nholds  accuracy\n" });
    const adam = await runCommand(train("own.onnx", "none", ...method, "--optimizer", "adam"));
    expect(adam).toMatchObject({
      exitCode: 2,
      stderr:
        "error: --optimizer: method smartdeal has steps of its own: expected sgd without --nesterov, received adam\n",
    });
    expect(existsSync("none")).toBe(false);
  });

  it("trains layers of shifts and additions, and delivers them as they were trained", async () => {
    const method = ["--method", "shiftaddnet", "--method-option", "precision=fixed8", "--epochs", "1"];
    const { exitCode, stderr } = await runCommand(train("resnet8", "shifts", ...method));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const { network, weights } = networkOfModel(readModel(readFileSync("shifts/network.onnx")));
    // Stem, eight layers of blocks and shortcuts, classifier; an add layer behind the eight.
    const { nodes } = network.graph;
    expect(nodes.filter(({ operator }) => operator === "AdderConv").length).toBe(8);
    const shifted = network.parameters.filter(({ name, role }) => role === "weight" && !name.includes(".add."));
    expect(shifted.length).toBe(10);
    for (const { name } of shifted) {
      const powers = tensorNumbers(weights.get(name)!).filter((weight) => weight !== 0);
      expect(powers.length).toBeGreaterThan(0);
      expect(powers.every((weight) => Number.isInteger(Math.log2(Math.abs(weight))))).toBe(true);
    }
    const { tensors } = decodeSafetensors(readFileSync("shifts/weights.safetensors"));
    expect([...tensors.keys()].filter((name) => name.endsWith(":exponent")).length).toBe(10);
    const verified = await runCommand(["run", "verify", "shifts", "--quiet"]);
    expect(verified).toMatchObject({ exitCode: 0, stdout: "holds  files\nholds  inputs\nholds  accuracy\n" });
    const again = await runCommand(train("shifts/network.onnx", "none", "--method", "addernet"));
    expect(again).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("has add layers already (train it as it is, without a method)"),
    });
  });

  it("finds what was changed in a run folder", async () => {
    cpSync("zoo", "changed", { recursive: true });
    const metrics = JSON.parse(readFileSync("changed/metrics.json", "utf8"));
    metrics.task.accuracyFraction -= 1 / metrics.task.testImages;
    writeFileSync("changed/metrics.json", JSON.stringify(metrics));
    writeFileSync(
      "changed/training.yaml",
      readFileSync("changed/training.yaml", "utf8").replace("epochs: 3", "epochs: 4"),
    );
    const { exitCode, stdout, stderr } = await runCommand(["run", "verify", "changed", "--quiet"]);
    expect(exitCode).toBe(1);
    expect(stderr).toBe("changed: inputs, accuracy do not hold\n");
    expect(stdout).toMatch(/FAILS {2}inputs\n {9}training\.yaml: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}\n/);
    expect(stdout).toMatch(/FAILS {2}accuracy\n {9}accuracyFraction: stated [\d.]+, found [\d.]+\n/);
  });

  it("refuses what cannot be trained, and leaves nothing behind", async () => {
    const misspelt = await runCommand(train("resnet9", "none"));
    expect(misspelt).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("(did you mean resnet8?)") });
    const large = await runCommand(train("resnet8", "none", "--batch-size", "1000"));
    expect(large).toMatchObject({
      exitCode: 2,
      stderr: "error: --batch-size: a batch is larger than the training part: expected at most 108, received 1000\n",
    });
    writeFileSync("coloured.onnx", tinyClassifier({ channels: 3 }));
    const other = await runCommand(train("coloured.onnx", "none"));
    expect(other).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("the network does not fit the data set"),
    });
    expect(filesIn(".").filter((file) => file.startsWith("none"))).toEqual([]);
  });
});
