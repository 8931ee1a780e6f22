import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

const hardware = `name: small
memories:
  registers:
    { size: 16, r_cost: 0.02, w_cost: 0.02, area: 0, latency: 1, operands: [O], served_dimensions: [], ports: [
      { name: r_port_1, type: read, bandwidth_min: 16, bandwidth_max: 16, allocation: ["O, tl", "O, th"] },
      { name: w_port_1, type: write, bandwidth_min: 16, bandwidth_max: 16, allocation: ["O, fh", "O, fl"] } ] }
  dram:
    { size: 10000000000, r_cost: 700, w_cost: 750, area: 0, latency: 1, operands: [I1, I2, O],
      served_dimensions: [D1, D2], ports: [ { name: rw_port_1, type: read_write, bandwidth_min: 64, bandwidth_max: 64,
      allocation: ["I1, tl", "I2, tl", "O, fl", "O, tl"] } ] }
operational_array: { dimensions: [D1, D2], sizes: [4, 2], unit_energy: 0.04, unit_area: 1 }
`;

const mapping = `- name: default
  spatial_mapping: { D1: ["K, 4"], D2: ["C, 2"] }
`;

const workload = `- id: 0
  name: product
  operator_type: Gemm
  equation: O[d][k]+=I[d][c]*W[c][k]
  loop_dims: [C, D, K]
  loop_sizes: [8, 4, 8]
  operand_precision: { W: 8, I: 8, O: 16, O_final: 8 }
`;

beforeAll(() => {
  writeFileSync("hardware.yaml", hardware);
  writeFileSync("mapping.yaml", mapping);
  writeFileSync("workload.yaml", workload);
  writeFileSync("tiny.onnx", tinyClassifier());
});

const from = ["cost", "--from", "zigzag"];

describe("dovetail cost --from zigzag", () => {
  it("takes hardware, mapping and workload in any order", async () => {
    const { exitCode, stdout } = await runCommand([
      ...from,
      "workload.yaml",
      "hardware.yaml",
      "mapping.yaml",
      "--json",
    ]);
    expect(exitCode).toBe(0);
    const result = JSON.parse(stdout);
    expect(result.layers).toHaveLength(1);
    const { cost } = result.layers[0];
    expect(cost).toMatchObject({ layer: "product", macs: 256, temporalCycles: 32, idealCycles: 32 });
    expect(result.energyPj).toBe(cost.energyPj);
    const again = await runCommand([...from, "mapping.yaml", "hardware.yaml", "workload.yaml", "--json"]);
    expect(again.stdout).toBe(stdout);
  });

  it("prints a line a layer, and with --verbose where energy and cycles come from", async () => {
    const files = [...from, "hardware.yaml", "mapping.yaml", "workload.yaml"];
    const brief = await runCommand(files);
    expect(brief.stdout).toMatch(
      /^layer +MACs +cycles +nJ +utilization +on the array\nproduct .* D1: K 4, D2: C 2\ntotal: /,
    );
    const verbose = await runCommand([...files, "--verbose"]);
    expect(verbose.stdout).toContain("  W in dram: ");
    expect(verbose.stdout.endsWith(brief.stdout)).toBe(true);
  });

  it("takes the layers of an ONNX file, at the precision that the options say", async () => {
    const energy = async (bits: string): Promise<number> => {
      const { stdout } = await runCommand([
        ...[...from, "hardware.yaml", "mapping.yaml", "tiny.onnx", "--json"],
        ...["--weight-bits", bits, "--activation-bits", "8"],
      ]);
      const result = JSON.parse(stdout);
      expect(result.layers).toHaveLength(3);
      return result.energyPj;
    };
    expect(await energy("16")).toBeGreaterThan(await energy("8"));
  });

  it("says what is missing or wrong", async () => {
    const missing = await runCommand([...from, "hardware.yaml"]);
    expect(missing).toMatchObject({ exitCode: 2, stdout: "" });
    expect(missing.stderr).toContain("a file is missing: expected mapping (a list of entries with spatial_mapping)");
    writeFileSync("broken.yaml", hardware.replace("size: 16", "size: many"));
    const broken = await runCommand([...from, "broken.yaml", "mapping.yaml", "workload.yaml"]);
    expect(broken.stderr).toContain("broken.yaml:4:13: memories.registers.size: wrong type: expected a number");
    const tool = await runCommand(["cost", "--from", "zigzug", "hardware.yaml"]);
    expect(tool.stderr).toContain("did you mean zigzag?");
    expect(await runCommand(["cost", "hardware.yaml"])).toMatchObject({ exitCode: 2 });
    expect(await runCommand([...from, "hardware.yaml", "--arch", "a.yaml"])).toMatchObject({ exitCode: 2 });
    expect(await runCommand(["cost"])).toMatchObject({ exitCode: 2 });
  });
});
