import { writeFileSync } from "node:fs";
import { maskingCheckNames, ruleNames } from "@dovetail/attack";
import { createRandomStream } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import {
  convBatchNorm,
  exportModel,
  globalAveragePool,
  initializeParameters,
  linear,
  NetworkBuilder,
  pixels,
} from "@dovetail/models";
import { spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { writeBundle } from "@dovetail/systems";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyClasses, writeTinyImages } from "../testing/tiny-images.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

beforeAll(() => {
  writeFileSync("net.onnx", tinyClassifier());
  writeTinyImages("digits");
});

/** A switchable network with drawn weights at 4 and 8 bit, as files. */
async function writeTinyBundle(folder: string): Promise<void> {
  const n = new NetworkBuilder("tiny");
  let x = pixels(n, { height: 8, width: 8, mean: [100], standardDeviation: [60] });
  x = convBatchNorm(n, "first", x, { channels: 8, kernel: 3 });
  x = convBatchNorm(n, "second", x, { channels: 8, kernel: 3, stride: 2 });
  const base = n.build(linear(n, "classifier", globalAveragePool(n, x), { features: 3 }));
  const switchable = switchableNetwork(base, { bitWidths: [4, 8] });
  const random = createRandomStream(3);
  const weights = new Map([
    ...initializeParameters(switchable.network, random),
    ...spreadOverPrecisions(switchable, initializeParameters(base, random)),
  ]);
  const precisions = switchable.bitWidths.map((bits) => ({
    bits,
    onnx: writeModel(exportModel(switchable.network, weights, { scalars: switchable.setting(bits) })),
    form: "float" as const,
    accuracyFraction: 1 / 3,
  }));
  await writeBundle(folder, {
    name: "tiny",
    classNames: tinyClasses,
    imageShape: [1, 8, 8],
    precisions,
    randomSet: [4, 8],
  });
}

const data = ["--data", "idx:digits", "--data-option", `classNames=[${tinyClasses.join(",")}]`];
const few = ["--images", "12", "--steps", "4", "--queries", "10", "--checked-images", "4", "--threads", "1", "--quiet"];
const attack = (...more: string[]) => runCommand(["attack", "net.onnx", ...data, ...few, ...more]);

describe("dovetail attack", { timeout: 300_000 }, () => {
  it("gives figures, rules and checks as JSON, the same for the same seed", async () => {
    const line = ["--attacks", "pgd,apgd-ce,square", "--eps", "16/255", "--json"];
    const { exitCode, stdout, stderr } = await attack(...line);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ images: 12, part: "test", seed: 0, variants: [{ probability: 1 }] });
    expect(result.epsilon).toBe(16 / 255);
    expect(result.attacks.map((of: { attack: string }) => of.attack)).toEqual(["pgd", "apgd-ce", "square"]);
    for (const { accuracyFraction, largestChange, rightShares } of result.attacks) {
      expect(accuracyFraction).toBeLessThanOrEqual(result.clean.accuracyFraction);
      expect(accuracyFraction).toBeGreaterThanOrEqual(result.worst.accuracyFraction);
      expect(largestChange).toBeLessThanOrEqual(16 / 255 + 1e-7);
      expect(rightShares.length).toBe(12);
    }
    expect(result.rules.map(({ name }: { name: string }) => name)).toEqual([...ruleNames]);
    expect(result.masking.map(({ name }: { name: string }) => name)).toEqual([...maskingCheckNames]);
    expect(result.lossSurface.losses.length).toBe(9);
    expect(result.transfer).toBeUndefined();
    expect((await attack(...line)).stdout).toBe(stdout);
  });

  it("draws from a set of precisions, and shows transfer between them", async () => {
    const { exitCode, stdout } = await attack("--set", "3..5", "--attacks", "eot-pgd", "--matrix-steps", "2", "--json");
    expect(exitCode).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.variants.map(({ name }: { name: string }) => name)).toEqual(["3", "4", "5"]);
    expect(result.attacks[0].passes.forwardAndBackward).toBe(12 * 3 * 4 * 5);
    expect(result.transfer.free.accuracyFraction.length).toBe(3);
    const cells = result.transfer.frozen.accuracyFraction.flat();
    const mean = cells.reduce((sum: number, cell: number) => sum + cell, 0) / 9;
    expect(result.transfer.frozenMean).toBeCloseTo(mean, 12);
    expect(result.decisionsAtWorst.byVariant.length).toBe(3);
  });

  it("prints tables", async () => {
    const { stdout } = await attack("--attacks", "fgsm", "--set", "4,8", "--eps", "0.1", "--matrix-steps", "1");
    expect(stdout).toContain("12 test images of digits, epsilon 25.50/255, drawn from 2 precisions (4, 8)\n");
    expect(stdout).toMatch(/\nfgsm {2,}\d+\.\d\d %/);
    expect(stdout).toMatch(/\nworst of all {2,}\d+\.\d\d %/);
    expect(stdout).toContain("as published, misclassified images frozen");
    for (const name of [...ruleNames, ...maskingCheckNames]) expect(stdout).toContain(`\n${name} `);
  });

  it("runs AutoAttack by default, without what needs more classes", async () => {
    const { stdout } = await attack("--json");
    const { autoAttack } = JSON.parse(stdout);
    expect(autoAttack.leftOut).toEqual(["apgd-t"]);
  });

  it("attacks what a bundle delivers, file by file, with gradients through its rounding", async () => {
    await writeTinyBundle("bundle");
    const { exitCode, stdout, stderr } = await runCommand([
      ...["attack", "bundle", ...data, ...few, "--attacks", "pgd,square", "--matrix-steps", "1", "--json"],
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ model: "bundle", variants: [{ name: "4" }, { name: "8" }] });
    const lines = Object.fromEntries(result.rules.map((line: { name: string }) => [line.name, line]));
    expect(lines["robustbench: non-zero gradients"]).toMatchObject({ state: "met", figure: 0 });
    const foreign = await runCommand(["attack", "bundle", ...data, ...few, "--set", "4,5"]);
    expect(foreign).toMatchObject({
      exitCode: 2,
      stderr: "error: bundle: the bundle has no such precision: expected 4, 8, received 5\n",
    });
  });

  it("stops when it is interrupted", async () => {
    let asked = 0;
    const line = [
      "attack",
      "net.onnx",
      ...data,
      "--attacks",
      "square",
      "--queries",
      "100000",
      "--threads",
      "1",
      "--quiet",
    ];
    const { exitCode, stdout } = await runCommand(line, { interruptWhen: () => ++asked > 200 });
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: "" });
  });
});
