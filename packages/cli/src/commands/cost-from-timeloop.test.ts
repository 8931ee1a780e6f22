import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readMapping } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

useTemporaryFolder();

const example = (...names: string[]): string[] =>
  names.map((name) => fileURLToPath(new URL(`../../../../examples/timeloop/${name}.yaml`, import.meta.url)));

interface Printed {
  readonly energyPj: number;
  readonly latencyCycles: number;
}

describe("dovetail cost --from timeloop", () => {
  it("takes the files in any order", async () => {
    const files = example("ERT", "mapping", "arch", "problem", "ART");
    const { exitCode, stdout } = await runCommand(["cost", "--from", "timeloop", ...files, "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ latencyCycles: 9216, macs: 589824 });
  });

  it("names file, line and field of what is wrong", async () => {
    const [mapping = ""] = example("mapping");
    writeFileSync("m.yaml", readFileSync(mapping, "utf8").replace("[P=4]", "[P=x]"));
    const files = [...example("arch", "problem", "ERT"), "m.yaml"];
    const { exitCode, stderr } = await runCommand(["cost", "--from", "timeloop", ...files]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("m.yaml:2:");
    expect(stderr).toContain("mapping[0].factors");
  });

  it("says where a mapping can be had", async () => {
    const { stderr } = await runCommand(["cost", "--from", "timeloop", ...example("arch", "problem", "ERT")]);
    expect(stderr).toContain("dovetail map --from timeloop");
  });
});

describe("dovetail map --from timeloop", () => {
  it("finds a mapping in the constraints, and writes documents that cost the same", async () => {
    const files = example("arch", "problem", "ERT", "ART");
    const search = ["--evaluations", "200", "--model", "timeloop", "-o", "found", "--json"];
    const found = await runCommand(["map", "--from", "timeloop", ...files, ...search]);
    expect(found.stderr).toBe("");
    const { energyPj, latencyCycles } = JSON.parse(found.stdout) as Printed;
    const documents = ["--problem", "found/problem.yaml", "--arch", "found/architecture.yaml"];
    const again = ["cost", ...documents, "--mapping", "found/mapping.yaml", "--model", "timeloop", "--json"];
    expect(JSON.parse((await runCommand(again)).stdout)).toMatchObject({ energyPj, latencyCycles });
    // The weights pass the buffer by, as the constraints say.
    const [, buffer] = readMapping(readFileSync("found/mapping.yaml", "utf8")).levels;
    expect(buffer!.keep).toEqual(["Inputs", "Outputs"]);
  });

  it("searches with the mapper that is asked for", async () => {
    const files = example("arch", "problem", "ERT", "ART");
    const search = ["map", "--from", "timeloop", ...files, "--mapper", "exact", "--json"];
    const { stdout, stderr } = await runCommand([...search, "--nodes", "200"]);
    expect(stderr).toBe("");
    const { proofs, energyPj, latencyCycles } = JSON.parse(stdout) as Printed & {
      proofs: { nodes: number; gap: number }[];
    };
    expect(proofs).toHaveLength(1);
    expect(proofs[0]!.nodes).toBeLessThanOrEqual(200);
    // Of the evolutionary mapper's, which the exact one starts from with the same effort, none is better.
    const other = ["map", "--from", "timeloop", ...files, "--model", "timeloop", "--json"];
    const found = JSON.parse((await runCommand(other)).stdout) as Printed;
    expect(energyPj * latencyCycles).toBeLessThanOrEqual(found.energyPj * found.latencyCycles);
  });

  it("leaves other tools to cost", async () => {
    const { exitCode, stderr } = await runCommand(["map", "--from", "zigzag", "a.yaml", "-o", "none"]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("dovetail cost --from zigzag");
    expect(existsSync("none")).toBe(false);
  });
});
