import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  type Architecture,
  convolutionProblem,
  eyerissLike,
  writeArchitecture,
  writeProblem,
} from "@dovetail/hardware";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

beforeAll(() => {
  writeFileSync("tiny.onnx", tinyClassifier());
  writeFileSync("eyeriss.yaml", writeArchitecture(eyerissLike()));
});

const map = ["map", "--network", "tiny.onnx", "--arch", "eyeriss.yaml", "--evaluations", "100", "--quiet"];

/** Three columns of outputs side by side, as often as the loop says. */
function oddMapping({ levels }: Architecture, loop: string): string {
  const keeps: Record<string, string> = {
    [levels[0]!.name]: `keep: [Weights, Inputs, Outputs], temporal: [C=5, M=7, Q=5, ${loop}]`,
  };
  const fanout = levels.findIndex(({ fanout }) => fanout !== undefined && fanout.x > 1);
  keeps[levels[fanout]!.name] = "spatialX: [P=3]";
  return `levels:\n${levels.map(({ name }) => `  - { level: ${name}, ${keeps[name] ?? "keep: []"} }`).join("\n")}\n`;
}

describe("dovetail map and cost", () => {
  it("maps every layer, and the written mappings cost what was said", async () => {
    const mapped = await runCommand([...map, "-o", "mappings", "--json"]);
    expect(mapped).toMatchObject({ exitCode: 0, stderr: "" });
    const result = JSON.parse(mapped.stdout);
    const names = result.layers.map(({ name }: { name: string }) => name);
    expect(names).toHaveLength(3);
    // 8×8 outputs of 8 channels from 1×3×3, 4×4 outputs of 8 from 8×3×3, 3 from 8.
    expect(result.layers.map(({ macs }: { macs: number }) => macs)).toEqual([64 * 8 * 9, 16 * 8 * 72, 24]);
    expect(readdirSync("mappings")).toHaveLength(3);
    const costed = await runCommand([
      "cost",
      "--network",
      "tiny.onnx",
      "--arch",
      "eyeriss.yaml",
      "--mappings",
      "mappings",
      "--json",
    ]);
    expect(JSON.parse(costed.stdout)).toEqual(result);
  });

  it("gives the same mappings for the same seed, and says what an image costs", async () => {
    const [first, second] = [await runCommand(map), await runCommand(map)];
    expect(first.stdout).toBe(second.stdout);
    expect(first.stdout).toMatch(/\none image: [\d.]+ µJ, \d+ cycles \([\d.]+ ms\), EDP [\d.e-]+ J·s\n$/);
    const verbose = await runCommand([...map, "--verbose"]);
    expect(verbose.stdout).toContain("spatial x for ");
  });

  it("maps with any mapper, and says what the exact one proves", async () => {
    const energy = async (...options: string[]): Promise<number> =>
      JSON.parse(
        (await runCommand([...map, "--json", "--objective", "energy", "--model", "timeloop", ...options])).stdout,
      ).energyPj;
    const exact = await energy("--mapper", "exact");
    for (const mapper of ["evolutionary", "gradient", "random"]) {
      expect(await energy("--mapper", mapper)).toBeGreaterThanOrEqual(exact);
    }
    const proven = await runCommand([...map, "--mapper", "exact"]);
    expect(proven.stdout).toMatch(/\nproven optimal: 3 of 3 layers\n$/);
    const { proofs } = JSON.parse((await runCommand([...map, "--mapper", "exact", "--nodes", "5", "--json"])).stdout);
    expect(proofs).toHaveLength(3);
    expect(proofs.some(({ proven, gap }: { proven: boolean; gap: number }) => !proven && gap > 0)).toBe(true);
    const refused = await runCommand([...map, "--mapper", "exact", "--model", "exact"]);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain("the exact mapper has no bounds for this cost model");
  });

  it("finds the same on several threads, and passes on what a thread refuses", async () => {
    const [one, two] = [await runCommand(map), await runCommand([...map, "--threads", "2"])];
    expect(two).toMatchObject({ exitCode: 0, stdout: one.stdout });
    const refused = await runCommand([...map, "--threads", "2", "--mapper", "exact", "--model", "exact"]);
    expect(refused).toMatchObject({ exitCode: 2 });
    expect(refused.stderr).toContain("the exact mapper has no bounds for this cost model");
  });

  it("charges what the options say for values of which the file says nothing", async () => {
    const energy = async (bits: string): Promise<number> =>
      JSON.parse((await runCommand([...map, "--json", "--weight-bits", bits, "--activation-bits", bits])).stdout)
        .energyPj;
    expect(await energy("16")).toBeGreaterThan(await energy("8"));
  });

  it("maps once for each bit-width, a folder of mappings each, and fewer bits never cost more", async () => {
    const both = await runCommand([...map, "--bits", "4,8", "-o", "byBits", "--json"]);
    expect(both).toMatchObject({ exitCode: 0, stderr: "" });
    const { bitWidths } = JSON.parse(both.stdout);
    expect(bitWidths.map(({ bits }: { bits: number }) => bits)).toEqual([4, 8]);
    expect(readdirSync("byBits").sort()).toEqual(["4-bit", "8-bit"]);
    for (const { bits, layers, ...totals } of bitWidths) {
      expect(readdirSync(`byBits/${bits}-bit`)).toHaveLength(3);
      const costed = await runCommand([
        ...["cost", "--network", "tiny.onnx", "--arch", "eyeriss.yaml", "--mappings", `byBits/${bits}-bit`, "--json"],
        ...["--weight-bits", `${bits}`, "--activation-bits", `${bits}`],
      ]);
      expect(JSON.parse(costed.stdout)).toEqual({ ...totals, layers });
    }
    const [four, eight] = bitWidths;
    for (const [index, layer] of four.layers.entries()) {
      expect(layer.cost.edpJouleCycles).toBeLessThanOrEqual(eight.layers[index].cost.edpJouleCycles);
    }
    const alone = await runCommand([...map, "--json", "--weight-bits", "8", "--activation-bits", "8"]);
    expect(JSON.parse(alone.stdout).energyPj).toBe(eight.energyPj);
    const text = await runCommand([...map, "--bits", "8,4"]);
    expect(text.stdout).toMatch(/^4 bit\n(.+\n)+one image: .+\n\n8 bit\n(.+\n)+one image: /);
    for (const wrong of ["4,4", "0", "4,", "128"]) {
      expect(await runCommand([...map, "--bits", wrong])).toMatchObject({ exitCode: 2 });
    }
  });

  it("costs a layer and derives a count", async () => {
    const problem = convolutionProblem({
      name: "first",
      inputChannels: 1,
      outputChannels: 8,
      outputHeight: 8,
      outputWidth: 8,
      kernelHeight: 3,
      kernelWidth: 3,
    });
    writeFileSync("first.yaml", writeProblem(problem));
    await runCommand([...map, "-o", "mappings"]);
    const file = readdirSync("mappings").find((name) => name.startsWith("first"))!;
    const layer = ["cost", "--problem", "first.yaml", "--arch", "eyeriss.yaml", "--mapping", `mappings/${file}`];
    const cost = await runCommand(layer);
    expect(cost.stdout).toContain("limited by");
    const explained = await runCommand([...layer, "--explain", "DRAM.Weights.reads", "--model", "timeloop"]);
    expect(explained.stdout).toMatch(
      /^DRAM\.Weights\.reads = (\d+) words per instance, 1 in use\n {2}\1 {2}for what lies below\nWeights below /,
    );
    const exact = await runCommand([...layer, "--explain", "DRAM.Weights.reads"]);
    expect(exact.stdout).toMatch(/^DRAM\.Weights\.reads = (\d+) words per instance, 1 in use\n {2}\1 {2}read for /);
    expect(exact.stdout).toContain("at the start: ");
    expect(explained.stdout).toContain("first tile:");
    const misspelt = await runCommand([...layer, "--explain", "DRAM.Weight.reads"]);
    expect(misspelt).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("did you mean DRAM.Weights.reads?"),
    });
  });

  it("refuses a mapping that does not fit, with what is too large", async () => {
    writeFileSync("small.yaml", writeArchitecture(eyerissLike({ weightSpadWords: 1, arrayRows: 1, arrayColumns: 1 })));
    await runCommand([...map, "-o", "mappings"]);
    const file = readdirSync("mappings").find((name) => name.startsWith("second"))!;
    const before = readFileSync(`mappings/${file}`, "utf8");
    const { exitCode, stderr } = await runCommand([
      "cost",
      "--network",
      "tiny.onnx",
      "--arch",
      "small.yaml",
      "--mappings",
      "mappings",
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(
      /^error: mappings\/.*\.yaml: .*the mapping does not fit: .*expected at most \d+, received \d+\n$/,
    );
    expect(readFileSync(`mappings/${file}`, "utf8")).toBe(before);
  });

  it("takes remainders in the model exact, and says so elsewhere", async () => {
    const layer = { name: "odd", inputChannels: 5, outputChannels: 7, outputHeight: 5, outputWidth: 5 };
    const problem = convolutionProblem({ ...layer, kernelHeight: 1, kernelWidth: 1 });
    writeFileSync("odd.yaml", writeProblem(problem));
    const architecture = eyerissLike();
    writeFileSync("odd-mapping.yaml", oddMapping(architecture, "P=2"));
    const line = ["cost", "--problem", "odd.yaml", "--arch", "eyeriss.yaml", "--mapping", "odd-mapping.yaml"];
    const exact = await runCommand([...line, "--json"]);
    expect(exact).toMatchObject({ exitCode: 0, stderr: "" });
    const cost = JSON.parse(exact.stdout);
    // Columns of 3 and 2 outputs: the busiest unit has them one after the other.
    expect(cost.compute).toMatchObject({ units: 3, macs: 5 * 7 * 25, cycles: 5 * 7 * 5 * 2 });
    const refused = await runCommand([...line, "--model", "timeloop"]);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("only the model exact takes remainders");
    expect(refused.stderr).toContain("expected 5, received 6");
    writeFileSync("odd-mapping.yaml", oddMapping(architecture, "P=3"));
    const beyond = await runCommand(line);
    expect(beyond.exitCode).toBe(2);
    expect(beyond.stderr).toContain("a loop never reaches its last iteration");
  });

  it("asks for the files that belong together", async () => {
    const { exitCode, stderr } = await runCommand(["cost", "--arch", "eyeriss.yaml", "--network", "tiny.onnx"]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: "error: give --problem and --mapping, or --network and --mappings\n",
    });
  });

  it("stops between layers when it is interrupted", async () => {
    const interrupted = await runCommand([...map, "--evaluations", "20000"], { interruptWhen: () => true });
    expect(interrupted).toEqual({ exitCode: 130, stdout: "", stderr: "interrupted\nnothing is lost\n" });
  });
});
