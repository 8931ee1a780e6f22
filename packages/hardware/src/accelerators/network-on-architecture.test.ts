import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, type StructuredAnnotation, type TensorAnnotation } from "@dovetail/graph";
import { describe, expect, it } from "vitest";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { evaluateCost } from "../cost/explain.js";
import { mapNetwork } from "../mapper/network.js";
import { extractWorkloads, type Layer } from "../workload/extract/extract.js";
import { costOnArchitecture, mapNetworkOnArchitecture } from "./network-on-architecture.js";
import { specialiseArchitecture } from "./specialise-architecture.js";
import { annotatedStatistics, structuredOf } from "./statistics.js";

/** A 3×3 convolution of 16 to 16 channels on 8 × 8. */
function layerWith(annotation: TensorAnnotation): Layer {
  const g = new GraphBuilder("net");
  const x = g.input("x", "float32", ["batch", 16, 8, 8]);
  const w = g.constant({ elementType: "float32", dimensions: [16, 16, 3, 3] }, "w");
  g.annotate(w, annotation);
  g.output(g.conv(x, w, undefined, { pads: [1, 1, 1, 1] }), "y");
  const bitWidths = { weights: 8, inputs: 8, outputs: 8 };
  return extractWorkloads(g.build(), { bitWidths }).layers[0]!;
}

/** 16 filters of 48 rows, a basis each; three quarters of the rows kept. */
const structured: StructuredAnnotation = {
  columns: 3,
  rows: 768,
  keptRows: 576,
  bases: 16,
  nonZeroCoefficients: 1500,
  coefficientBitWidth: 4,
  basisBitWidth: 8,
  scaleBitWidth: 6,
};
const storedBits = 576 * 3 * 4 + 768 + 16 * (9 * 8 + 6);

const dense = layerWith({});
const compressed = layerWith({ structured });
const plain = eyerissLike();
const rebuilding = eyerissLike({ rebuildsWeights: true });
const search = () => ({ random: createRandomStream(1), evaluations: 120 });

describe("a layer whose weights are in SmartExchange's form", () => {
  const found = mapNetworkOnArchitecture([compressed], rebuilding, search());
  if (!found.ok) throw new Error("no mapping");
  const { mapping } = found.layers[0]!;
  const cost = costOnArchitecture(compressed, rebuilding, mapping);
  const asDense = costOnArchitecture(dense, rebuilding, mapping);
  if (!cost.ok || !asDense.ok) throw new Error("rejected");
  const weightsAt = (of: typeof cost, level: string) =>
    of.levels.find((each) => each.level === level)!.dataSpaces.find(({ dataSpace }) => dataSpace === "Weights")!;

  it("costs what the search says", () => {
    expect(found.energyPj).toBe(cost.energyPj);
    expect(found.latencyCycles).toBe(cost.latencyCycles);
  });

  it("is stored as the annotation counts it", () => {
    const form = structuredOf(compressed.problem, 8, annotatedStatistics(compressed))!;
    expect(form.totalBits).toBe(storedBits);
    const words = specialiseArchitecture(rebuilding, compressed.problem, annotatedStatistics(compressed)).problem;
    expect(words.dataSpaces[0]!.bitWidth).toBeCloseTo(storedBits / (16 * 16 * 9), 12);
  });

  it("moves its compressed bits from outside", () => {
    const perRow = Math.floor(64 / (storedBits / 2304));
    expect(weightsAt(cost, "DRAM").reads).toBe(weightsAt(asDense, "DRAM").reads);
    expect(weightsAt(cost, "DRAM").readAccesses).toBe(Math.ceil(weightsAt(asDense, "DRAM").reads / perRow));
  });

  it("has a shift with addition for every coefficient and column rebuilt, wherever weights are written", () => {
    const ours = weightsAt(cost, "weights");
    const theirs = weightsAt(asDense, "weights");
    const { storage } = rebuilding.levels.find(({ name }) => name === "weights")!;
    const { reads, fills } = theirs;
    const instances = theirs.energyPj / (reads * storage!.readPj + fills * storage!.writePj);
    const additions = (fills * instances * 1500 * 3) / 2304;
    const expected = 0.75 * theirs.energyPj + additions * rebuilding.rebuild!.additionPj;
    expect(ours.energyPj / expected).toBeCloseTo(1, 9);
  });

  it("is multiplied and accumulated for kept rows only", () => {
    expect(cost.compute.energyPj).toBeCloseTo(0.75 * asDense.compute.energyPj, 6);
    expect(cost.latencyCycles).toBeLessThan(asDense.latencyCycles);
    expect(cost.latencyMs).toBeCloseTo(cost.latencyCycles / 200e3, 3);
  });

  it("waits for an engine that is too slow", () => {
    const slow = { ...rebuilding, rebuild: { ...rebuilding.rebuild!, additionsPerCycle: 0.01 } };
    const late = costOnArchitecture(compressed, slow, mapping);
    if (!late.ok) throw new Error("rejected");
    // The busiest scratchpad is filled with so many words, 1500 · 3 / 2304 additions each on average.
    const least = (weightsAt(cost, "weights").fills * 1500 * 3) / 2304 / 0.01;
    expect(late.latencyCycles).toBeGreaterThanOrEqual(least);
    // The rest are the ways in and out, and the units.
    expect(late.latencyCycles).toBeLessThan(1.5 * least);
    expect(late.latencyCycles).toBeGreaterThan(3 * cost.latencyCycles);
  });

  it("is dense where nothing rebuilds it", () => {
    expect(costOnArchitecture(compressed, plain, mapping)).toEqual(evaluateCost(dense.problem, plain, mapping));
    expect(mapNetworkOnArchitecture([compressed], plain, search())).toEqual(
      mapNetwork([{ problem: dense.problem }], plain, search()),
    );
  });

  it("is stored as it is where the form would take more bits", () => {
    const worse = layerWith({ structured: { ...structured, bases: 400 } });
    expect(costOnArchitecture(worse, rebuilding, mapping)).toEqual(asDense);
  });
});

describe("layers by kind", () => {
  const shift = layerWith({ powerOfTwo: true, bitWidth: 5 });
  const add: Layer = { ...dense, problem: { ...dense.problem, operation: "add" } };
  const units = eyerissLike({ operations: ["shift", "add"] });

  it("cost their own operation, and their memories nothing else", () => {
    const found = mapNetworkOnArchitecture([dense], units, search());
    if (!found.ok) throw new Error("no mapping");
    const { mapping } = found.layers[0]!;
    const costs = [dense, { ...shift, problem: { ...dense.problem, operation: "shift" as const } }, add].map(
      (layer) => {
        const cost = costOnArchitecture(layer, units, mapping);
        if (!cost.ok) throw new Error("rejected");
        return cost;
      },
    );
    const [multiplied] = costs;
    for (const [index, energyPj] of [units.compute.energyPj, units.compute.shiftPj!, units.compute.addPj!].entries()) {
      expect(costs[index]!.compute.energyPj).toBeCloseTo(energyPj * dense.macs, 3);
      expect(costs[index]!.energyPj - costs[index]!.compute.energyPj).toBeCloseTo(
        multiplied!.energyPj - multiplied!.compute.energyPj,
        3,
      );
    }
    expect(units.compute.areaUm2).toBeCloseTo(687.6 + 428 + 316, 6);
  });

  it("are shifts where weights are powers of two, which a multiplier does too, and a search tells them apart", () => {
    expect(shift.problem.operation).toBe("shift");
    expect(shift.key).not.toBe(dense.key);
    const found = mapNetworkOnArchitecture([dense, shift], plain, search());
    expect(found.ok).toBe(true);
  });

  it("that the units cannot do are an error", () => {
    expect(() => mapNetworkOnArchitecture([add], plain, search())).toThrow(
      /the units of eyeriss-like-12x14 do not sum up \|input - weight\|/,
    );
  });
});
