import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runGolden } from "./run.js";

const shared = process.env.DOVETAIL_SHARED ?? join(import.meta.dirname, "../../../../../shared");

describe("the reference figures", () => {
  it("agree with the other tools", async () => {
    const file = join(shared, "golden/golden-hardware.json");
    expect(existsSync(file)).toBe(true);
    const lines: string[] = [];
    const totals = await runGolden(file, (line) => lines.push(line));
    expect(lines).toContain("timeloop_reference: 16/0/0");
    expect(lines).toContain("timeloop_executed_random: 20/0/0");
    expect(lines).toContain("zigzag_executed_fixed_order: 18/0/0");
    expect(lines).toContain("zigzag_reference: 6/0/20");
    expect(lines).toContain("scalesim_reference: 2/0/1");
    expect(lines).toContain("interstellar_reference: 2/0/0");
    expect(lines).toContain("bitfusion_reference: 75/0/0");
    expect(lines).toContain("maestro_executed: 5/0/0");
    expect(lines).toContain("cacti_executed: 77/0/0");
    expect(lines).toContain("dosa_firesim_reference: 0/0/12");
    expect(totals.failed).toBe(0);
    expect(lines.at(-1)).toBe(`${totals.passed} passed, 0 failed, ${totals.skipped} skipped`);
  });

  it("agree with the lab's own predictors", async () => {
    const lines: string[] = [];
    const totals = await runGolden(join(shared, "data/golden-lab-predictors"), (line) => lines.push(line));
    expect(lines).toContain("fpga-chunk-predictor: 184/0/0");
    expect(lines).toContain("eyeriss-row-stationary-operators: 37/0/0");
    expect(totals).toEqual({ passed: 221, failed: 0, skipped: 0 });
  });
});
