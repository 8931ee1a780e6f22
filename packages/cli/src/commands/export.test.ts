import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

useTemporaryFolder();

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../../examples/hardware/${name}.yaml`, import.meta.url));

const documents = ["--problem", example("conv3x3"), "--arch", example("small-8x8")];
const mapping = ["--mapping", example("weight-stationary")];

interface Printed {
  readonly files: string[];
  readonly energyPj: number;
  readonly latencyCycles: number;
}

describe("dovetail export", () => {
  it("writes Timeloop's files, which cost the same", async () => {
    const out = await runCommand(["export", "timeloop", ...documents, ...mapping, "-o", "timeloop", "--json"]);
    expect(out.stderr).toBe("");
    const { files } = JSON.parse(out.stdout) as Printed;
    const before = await runCommand(["cost", ...documents, ...mapping, "--model", "timeloop", "--json"]);
    const after = await runCommand(["cost", "--from", "timeloop", ...files, "--json"]);
    const [first, second] = [before, after].map(({ stdout }) => JSON.parse(stdout) as Printed);
    expect(second!.energyPj).toBeCloseTo(first!.energyPj, 3);
    expect(second!.latencyCycles).toBe(first!.latencyCycles);
  });

  it("writes ZigZag's files, which ZigZag's model takes", async () => {
    const arch = readFileSync(example("small-8x8"), "utf8").replace(/^ *leakagePjPerCycle:.*\n/m, "");
    writeFileSync("arch.yaml", arch);
    const args = ["--problem", example("conv3x3"), "--arch", "arch.yaml", ...mapping];
    const { stdout } = await runCommand(["export", "zigzag", ...args, "-o", "zigzag", "--json"]);
    const { files } = JSON.parse(stdout) as Printed;
    const cost = await runCommand(["cost", "--from", "zigzag", ...files]);
    expect(cost.stderr).toBe("");
    expect(cost.stdout).toContain("589824");
  });

  it("writes SCALE-Sim's files, which the systolic model takes", async () => {
    const args = [...documents, "--dataflow", "os", "-o", "scalesim", "--json"];
    const { files } = JSON.parse((await runCommand(["export", "scalesim", ...args])).stdout) as Printed;
    expect(readFileSync("scalesim/topology.csv", "utf8")).toContain("conv3x3,256,16,144");
    const cost = await runCommand(["cost", "--from", "scalesim", ...files]);
    expect(cost.exitCode).toBe(0);
    expect(cost.stdout).toContain("589824");
  });

  it("refuses by name what the tool cannot say, and writes nothing", async () => {
    const { exitCode, stderr } = await runCommand(["export", "zigzag", ...documents, "-o", "refused"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("leakagePjPerCycle");
    expect(existsSync("refused")).toBe(false);
  });

  it("knows its tools", async () => {
    const { exitCode, stderr } = await runCommand(["export", "maestro", ...documents, "-o", "out"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("timeloop, zigzag, scalesim");
  });
});
