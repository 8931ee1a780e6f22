import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";

const example = (name: string): string =>
  fileURLToPath(new URL(`../../../../examples/hardware/${name}.yaml`, import.meta.url));

const documents = [
  ...["--problem", example("sparse-product")],
  ...["--arch", example("sparse-buffer")],
  ...["--mapping", example("sparse-mapping")],
];

interface Printed {
  readonly macs: number;
  readonly compute: { readonly macs: number; readonly gated: number; readonly skipped: number };
}

describe("dovetail cost of sparse tensors", () => {
  it("prints what is stored, gated and skipped", async () => {
    const { exitCode, stdout } = await runCommand(["cost", ...documents]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("offsetPairs/coordinatePayload");
    expect(stdout).toContain("mac: 4096 MACs, of which 512 are made, 512 gated, 0 skipped");
  });

  it("makes the operations in which no operand is zero: a quarter times a half", async () => {
    const { macs, compute } = JSON.parse((await runCommand(["cost", ...documents, "--json"])).stdout) as Printed;
    expect(macs).toBe(16 ** 3);
    expect(compute).toMatchObject({ macs: 0.25 * 0.5 * macs, gated: 0.25 * 0.5 * macs, skipped: 0 });
  });

  it.each([["--explain", "buffer.B.reads"], ["--compare"]])("derives no dense counts (%s)", async (...options) => {
    const { exitCode, stderr } = await runCommand(["cost", ...documents, ...options]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("dense counts");
  });
});
