import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scalableUnitAreaUm2 } from "../energy/scalable-unit.js";
import { readAccelerator } from "./document.js";
import { acceleratorAreaMm2, levelBytes, peakMacsPerCycle, unitCount } from "./facts.js";
import { fusionArrayAreaUm2, scalableMachine, scalableMachineKinds } from "./precision-scalable.js";

const shipped = (name: string) =>
  readAccelerator(readFileSync(new URL(`../../../../accelerators/${name}.yaml`, import.meta.url), "utf8"));

describe("a machine with precision-scalable units", () => {
  it("of 2-in-1's is the one of the zoo, of Bit Fusion's has the zoo's array and memories", () => {
    const { levels, unit, constraints, clockMhz, technologyNm } = scalableMachine({ kind: "tiledSerial" });
    expect(shipped("two-in-one")).toMatchObject({ levels, unit, constraints, clockMhz, technologyNm });
    const fusion = scalableMachine({ kind: "composable" });
    expect(shipped("bit-fusion")).toMatchObject({ levels: fusion.levels, unit: fusion.unit });
  });

  it.each([
    ["tiledSerial", 16, 2496],
    ["composable", 16, 512],
    ["serial", 16, 8192],
    ["tiledSerial", 1, 960],
    ["serial", 1, 1408],
  ] as const)("%s, %d together: %d units", (kind, sharing, count) => {
    expect(unitCount(scalableMachine({ kind, sharing }))).toBe(count);
  });

  it("fills the array's area to 96 % at least and never more, around the same memories", () => {
    for (const sharing of [1, 16]) {
      const area = fusionArrayAreaUm2(sharing);
      const machines = scalableMachineKinds.map((kind) => scalableMachine({ kind, sharing, arrayAreaUm2: area }));
      for (const [index, machine] of machines.entries()) {
        const unitUm2 = scalableUnitAreaUm2({ kind: scalableMachineKinds[index]!, sharingUnits: sharing });
        const used = unitCount(machine) * unitUm2;
        expect(used).toBeLessThanOrEqual(area);
        expect(used).toBeGreaterThan(0.96 * area);
        const memoriesMm2 = acceleratorAreaMm2(machine)! - used * 1e-6;
        expect(memoriesMm2).toBeCloseTo(acceleratorAreaMm2(machines[0]!)! - unitArea(machines[0]!, sharing), 9);
        expect(levelBytes(machine, "weightBuffer")).toBe(65536);
      }
    }
  });

  function unitArea(machine: ReturnType<typeof scalableMachine>, sharing: number): number {
    return unitCount(machine) * scalableUnitAreaUm2({ kind: "tiledSerial", sharingUnits: sharing }) * 1e-6;
  }

  it("has the peak of its units", () => {
    expect(peakMacsPerCycle(scalableMachine({ kind: "composable" }), 4)).toBe(2048);
    expect(peakMacsPerCycle(scalableMachine({ kind: "tiledSerial" }), 6)).toBe(832);
    expect(peakMacsPerCycle(scalableMachine({ kind: "serial" }), 5)).toBeCloseTo(8192 / 5, 9);
  });
});
