import { createRandomStream } from "@dovetail/core";
import { acceleratorAreaMm2, publishedNetwork, scalableMachine, scalableMachineKinds } from "@dovetail/hardware";
import { createUnit, measurePace } from "@dovetail/rtl";
import type { Json } from "@dovetail/train";
import { describe, expect, it } from "vitest";
import { conclusionSchema } from "../../reproduction/card.js";
import { energyAtAnchor, networkOnMachine } from "./machine-cost.js";
import { advantage, costAt, expectedFrameCost, framesPerSecondMm2, resultSchema, type StudyResult } from "./result.js";
import { acceleratorPieces, concludeAccelerator } from "./study.js";
import { libraryDensityRatio, unitKinds, unitPrecisions, unitRows } from "./unit-rows.js";
import { variantOf } from "./variants.js";

/** A result whose costs grow with the bits, the tiled unit's slower than the others' by a factor. */
function madeUp(factor: number, change: Partial<StudyResult> = {}): StudyResult {
  const costs = Object.fromEntries(
    scalableMachineKinds.map((kind) => [
      kind,
      Object.fromEntries(
        unitPrecisions.map((bits) => {
          const scale = kind === "tiledSerial" ? 1 : factor;
          const cost = {
            energyPj: scale * bits ** 2,
            latencyCycles: scale * 1000 * bits,
            unitPj: bits,
            memoryBoundCycles: 0,
          };
          return [bits, cost];
        }),
      ),
    ]),
  );
  return resultSchema.parse({ variant: "grouped", network: "AlexNet", seed: 0, costs, ...change });
}

describe("random precision on a machine", () => {
  const result = madeUp(2);

  it("is expected to cost the mean of its precisions' costs, whatever the set", () => {
    for (const set of [[4, 5, 6, 7, 8], [2, 8], [6]]) {
      const { energyPj, latencyCycles } = expectedFrameCost(result, "tiledSerial", set);
      const mean = (figure: "energyPj" | "latencyCycles"): number =>
        set.reduce((sum, bits) => sum + costAt(result, "tiledSerial", bits)[figure], 0) / set.length;
      expect(energyPj).toBeCloseTo(mean("energyPj"), 9);
      expect(latencyCycles).toBeCloseTo(mean("latencyCycles"), 9);
      // Images follow one another: their rate is that of the mean time, not the mean of the rates.
      const area = acceleratorAreaMm2(scalableMachine({ kind: "tiledSerial" }))!;
      expect(framesPerSecondMm2("grouped", "tiledSerial", { latencyCycles })).toBeCloseTo(
        500e6 / latencyCycles / area,
        6,
      );
    }
    expect(() => expectedFrameCost(result, "serial", [])).toThrow("set of precisions");
    expect(() => costAt(result, "serial", 16)).toThrow("no cost at this precision");
  });

  it("is compared by images a second and area, and by images a joule", () => {
    expect(advantage(result, "composable", "energy", [3])).toBeCloseTo(2, 12);
    // Both machines fill the same area to a few per cent.
    expect(advantage(result, "composable", "speed", [3])).toBeCloseTo(2, 1);
  });
});

describe("a network on a machine", () => {
  const layers = publishedNetwork("AlexNet", { bits: 8 }).slice(2, 5);
  const machine = scalableMachine({ kind: "tiledSerial" });
  const map = (of = layers) =>
    networkOnMachine(of, machine, { random: createRandomStream(5), evaluations: 40, model: "exact" });

  it("costs the sum of its layers, each with a dataflow of its own that its company does not change", () => {
    const whole = map();
    const parts = layers.map((layer) => map([layer]));
    for (const figure of ["energyPj", "latencyCycles", "unitPj"] as const) {
      expect(whole[figure]).toBeCloseTo(
        parts.reduce((sum, part) => sum + part[figure], 0),
        3,
      );
    }
    expect(whole.memoryBoundCycles).toBeLessThanOrEqual(whole.latencyCycles);
    expect(energyAtAnchor(whole, 4) - whole.energyPj).toBeCloseTo(3 * whole.unitPj, 3);
  });

  it("is refused above 8 bit: there is no source", () => {
    expect(() => map([...publishedNetwork("AlexNet", { bits: 12 })])).toThrow("no figures of a tiledSerial unit");
  });
});

describe("the units' rows", () => {
  it("count products on the bit-exact units and take areas and energies from the tables", () => {
    const rows = unitRows(16);
    expect(rows).toHaveLength(unitKinds.length * unitPrecisions.length);
    const tiled = rows.find(({ kind, bits }) => kind === "tiledSerial" && bits === 6)!;
    const { products, cycles } = measurePace(createUnit("tiled"), { weightBits: 6, inputBits: 6 });
    expect(tiled.productsPerCycle).toBe(products / cycles);
    // rtl.md section 4.3: 1.01 products a cycle on 1,000 µm², 1,293 fJ of 977.
    expect(tiled.productsPerCycleMm2 * 1e-3).toBeCloseTo(1.01, 2);
    expect(tiled.energyPj).toBeCloseTo((0.298 * 1293) / 977, 9);
  });

  it("agree with the section's table of ratios: 1.24, 1.65, 1.65, 1.24, 1.65, 0.62", () => {
    const rows = unitRows(16);
    const density = (kind: string, at: number) =>
      rows.find((row) => row.kind === kind && row.bits === at)!.productsPerCycleMm2;
    for (const [bits, ratio] of [
      [8, 1.24],
      [6, 1.65],
      [5, 1.65],
      [4, 1.24],
      [3, 1.65],
      [2, 0.62],
    ] as const) {
      expect(density("tiledSerial", bits) / density("composable", bits)).toBeCloseTo(ratio, 2);
    }
    // A lone tiled unit loses at 8 bit: 0.29 against 0.54 products a cycle on 1,000 µm².
    const lone = unitRows(1).filter(({ bits }) => bits === 8);
    const loneDensity = (kind: string) => lone.find((row) => row.kind === kind)!.productsPerCycleMm2 * 1e-3;
    expect(loneDensity("tiledSerial")).toBeCloseTo(0.29, 2);
    expect(loneDensity("composable")).toBeCloseTo(0.54, 2);
    expect(libraryDensityRatio("composable", { library: "nangate45", timing: "tight", bits: 8 })).toBeCloseTo(
      2111 / 1009 / 4,
      9,
    );
  });
});

describe("the study", () => {
  it("has pieces with different names that cover its variants, networks and seeds", () => {
    const names = acceleratorPieces("full").map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(4 * 3 + 3 * 4);
    expect(acceleratorPieces("quick").map(({ name }) => name)).toEqual([
      "accelerator-grouped-AlexNet-seed0",
      "accelerator-grouped-ResNet-18-seed0",
    ]);
  });

  it("holds what its results show, and says what was tried where it does not", () => {
    const conclude = (factor: number, other: number) =>
      concludeAccelerator(
        "full",
        new Map<string, Json>([
          ["training-part", { accuracy: 1 }],
          ...(["AlexNet", "VGG-16"] as const).map(
            (network) => [`accelerator-grouped-${network}-seed0`, madeUp(factor, { network })] as [string, Json],
          ),
          ["accelerator-lone-AlexNet-seed0", madeUp(other, { variant: "lone" }) as Json],
        ]),
      );
    const ahead = conclude(2, 0.5);
    expect(conclusionSchema.parse(ahead)).toEqual(ahead);
    const systemClaims = (of: typeof ahead) => of.claims.filter(({ unit }) => unit === "cases" || unit === "networks");
    expect(systemClaims(ahead)).toHaveLength(8);
    expect(systemClaims(ahead).every(({ held }) => held)).toBe(true);
    const behind = conclude(0.5, 2);
    expect(systemClaims(behind).every(({ held, ours }) => !held && ours === 0)).toBe(true);
    expect(systemClaims(behind)[0]!.tried).toEqual(["every unit with an accumulator of its own: 6 of 12"]);
    // The units' own claims rest on no search.
    const unitClaim = ahead.claims.find(({ claimed }) => claimed === 2.3)!;
    expect(unitClaim).toMatchObject({ held: false, ours: 1.236 });
    expect(unitClaim.tried.length).toBeGreaterThanOrEqual(3);
    expect(ahead.tables.filter(({ note }) => note?.includes("not measured")).length).toBeGreaterThan(5);
  });

  it("puts three kinds of units on one area, in four variants", () => {
    expect(variantOf("mixed").machines.serial.unit.sharing).toBe(1);
    expect(variantOf("grouped").machines.serial.unit.sharing).toBeUndefined();
    expect(variantOf("lone").machines.tiledSerial.unit.sharing).toBe(1);
    expect(variantOf("timeloop").model).toBe("timeloop");
  });
});
