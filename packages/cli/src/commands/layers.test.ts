import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { macCount, readProblem } from "@dovetail/hardware";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

beforeAll(() => writeFileSync("tiny.onnx", tinyClassifier()));

describe("dovetail layers", () => {
  it("says the loop nest of every layer, and writes problems that are the same layers", async () => {
    const { exitCode, stdout } = await runCommand(["layers", "tiny.onnx", "-o", "problems", "--json"]);
    expect(exitCode).toBe(0);
    const { layers } = JSON.parse(stdout) as { layers: { name: string; macs: number; dimensions: object }[] };
    expect(layers.map(({ macs }) => macs)).toEqual([64 * 8 * 9, 16 * 8 * 72, 24]);
    const files = readdirSync("problems");
    expect(files).toHaveLength(3);
    const problems = files.map((file) => readProblem(readFileSync(`problems/${file}`, "utf8")));
    const sorted = (values: number[]): number[] => values.toSorted((a, b) => a - b);
    expect(sorted(problems.map(macCount))).toEqual(sorted(layers.map(({ macs }) => macs)));
  });

  it("prints a line a layer and what else there is", async () => {
    const { stdout } = await runCommand(["layers", "tiny.onnx", "--weight-bits", "4"]);
    expect(stdout).toMatch(/^layer +operator +loops +MACs +Weights +Inputs +Outputs\n/);
    expect(stdout).toMatch(/Conv +M8 P8 Q8 R3 S3 +4608 +72 × 4 bit/);
    expect(stdout).toContain("\n3 layers of 3 shapes, 13848 MACs\nbesides: ");
  });

  it("refuses a network without layers, and a file that is none", async () => {
    writeFileSync("bad.onnx", "not a network");
    expect(await runCommand(["layers", "bad.onnx"])).toMatchObject({ exitCode: 2, stdout: "" });
  });
});
