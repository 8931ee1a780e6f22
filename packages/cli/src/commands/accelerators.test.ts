import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

beforeAll(() => writeFileSync("tiny.onnx", tinyClassifier()));

const map = ["map", "--network", "tiny.onnx", "--evaluations", "100", "--quiet"];

describe("dovetail accelerators", () => {
  it("lists the zoo, and shows a machine with its sources", async () => {
    const list = JSON.parse((await runCommand(["accelerators", "--json"])).stdout);
    expect(list.find(({ name }: { name: string }) => name === "bit-fusion")).toMatchObject({
      units: 512,
      peakMacsPerCycle: 512,
      onChipBytes: 112 * 1024,
    });
    const { stdout } = await runCommand(["accelerators", "stripes"]);
    expect(stdout).toMatch(/^Stripes \(45 nm, 980 MHz\)/);
    expect(stdout).toMatch(/\n {2}16 +no source +no figures of a serial unit/);
    expect(stdout).toContain("peakMacsPerCycle, 16 bit");
    expect((await runCommand(["accelerators", "fpga-zc706"])).stdout).toContain("900 DSP slices");
  });

  it("refuses a machine that is not there", async () => {
    const missing = await runCommand(["accelerators", "bitfusion"]);
    expect(missing.exitCode).toBe(2);
    expect(missing.stderr).toContain("did you mean bit-fusion?");
  });
});

describe("dovetail map --accelerator", () => {
  const mapped = async (...more: string[]) => {
    const { exitCode, stdout } = await runCommand([...map, "--json", ...more]);
    expect(exitCode).toBe(0);
    return JSON.parse(stdout);
  };

  it("maps each layer at its own precision", async () => {
    const energies = [8, 4].map(async (bits) => {
      const flags = ["--weight-bits", `${bits}`, "--activation-bits", `${bits}`];
      return (await mapped("--accelerator", "two-in-one", ...flags)).energyPj;
    });
    const [wide, narrow] = await Promise.all(energies);
    expect(narrow).toBeLessThan(wide);
  });

  it("takes zeros where the machine uses them, and a file of one's own", async () => {
    const dense = await mapped("--accelerator", "cambricon-x");
    const sparse = await mapped("--accelerator", "cambricon-x", "--weight-zeros", "0.9");
    expect(sparse.energyPj).toBeLessThan(dense.energyPj);
    const file = new URL("../../../../accelerators/cambricon-x.yaml", import.meta.url);
    writeFileSync("own.yaml", readFileSync(file, "utf8"));
    expect(await mapped("--accelerator", "own.yaml")).toEqual(dense);
  });

  it("and the written mappings cost on it what was said", async () => {
    const bits = ["--weight-bits", "4", "--activation-bits", "4"];
    const found = await mapped("--accelerator", "two-in-one", ...bits, "-o", "mappings");
    const cost = ["cost", "--network", "tiny.onnx", "--mappings", "mappings", "--json", ...bits];
    const costed = await runCommand([...cost, "--accelerator", "two-in-one"]);
    expect(JSON.parse(costed.stdout)).toEqual(found);
    const pipeline = await runCommand([...cost, "--accelerator", "fpga-zc706"]);
    expect(pipeline.exitCode).toBe(2);
    expect(pipeline.stderr).toContain("a pipeline has no mappings of loop nests");
  });

  it("finds a pipeline on a board", async () => {
    const solution = await mapped("--accelerator", "fpga-zc706");
    expect(solution).toMatchObject({ feasible: true });
    expect(solution.dsp).toBeLessThanOrEqual(900);
  });

  it("asks for one target, and says which figure has no source", async () => {
    expect((await runCommand(map)).stderr).toContain("give --arch or --accelerator");
    const wide = await runCommand([...map, "--accelerator", "stripes", "--activation-bits", "16"]);
    expect(wide.exitCode).toBe(2);
    expect(wide.stderr).toContain("stripes: no figures of a serial unit for these operands: expected 1 to 8 bit");
  });
});
