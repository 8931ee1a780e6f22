import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, type TensorAnnotation } from "@dovetail/graph";
import { costOnArchitecture, type Layer } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { asicUnitsFor, createAsicModel, referenceAsicDesign } from "./asic-model.js";

const clockHz = 200e6;

function network(annotations: readonly TensorAnnotation[]) {
  const g = new GraphBuilder("net");
  let x = g.input("x", "float32", ["batch", 8, 6, 6]);
  for (const [index, annotation] of annotations.entries()) {
    const w = g.constant({ elementType: "float32", dimensions: [8, 8, 3, 3] }, `w${index}`);
    g.annotate(w, { bitWidth: 8, ...annotation });
    g.annotate(x, { bitWidth: 8 });
    x = g.conv(x, w, undefined, { pads: [1, 1, 1, 1] });
  }
  g.annotate(x, { bitWidth: 8 });
  g.output(x, "y");
  return g.build();
}

const structured = {
  columns: 3,
  rows: 192,
  keptRows: 60,
  bases: 8,
  nonZeroCoefficients: 150,
  coefficientBitWidth: 4,
  basisBitWidth: 8,
};

const model = () =>
  createAsicModel({
    clockHz,
    limits: {},
    mapperEvaluations: 30,
    learningRate: 0.1,
    random: createRandomStream(1).split("mapper"),
  });

describe("an ASIC for a network whose tensors are annotated", () => {
  const kinds: readonly TensorAnnotation[] = [{ structured }, { powerOfTwo: true }, {}];

  it("has the units that its layers need, in its area too", () => {
    const layers = model().layersOf(network(kinds));
    expect(asicUnitsFor(layers)).toEqual({ operations: ["shift"], rebuildsWeights: true });
    const plain = referenceAsicDesign(clockHz);
    const equipped = referenceAsicDesign(clockHz, asicUnitsFor(layers));
    // 168 shift units of 428 µm² for shift layers, and as many in the rebuild engines.
    expect(equipped.areaMm2 - plain.areaMm2).toBeCloseTo((2 * 168 * 428) / 1e6, 9);
    expect(referenceAsicDesign(clockHz, asicUnitsFor(model().layersOf(network([{}, {}]))))).toEqual(plain);
  });

  it("costs by layer and form what its architecture and mappings cost, found by a redesign or mapped again", async () => {
    const asic = model();
    const layers = asic.layersOf(network(kinds));
    const { design } = await asic.redesign(layers, undefined, { evaluations: 3, random: createRandomStream(2) });
    const mapped = asic.map(layers, design, 30);
    if (!mapped.ok) throw new Error("no mapping");
    const costs = mapped.layers.map(({ mapping }, index) => {
      const cost = costOnArchitecture(layers[index]!, design.architecture, mapping);
      if (!cost.ok) throw new Error("rejected");
      return cost;
    });
    expect(mapped.energyPj).toBeCloseTo(
      costs.reduce((sum, { energyPj }) => sum + energyPj, 0),
      3,
    );
    expect(mapped.latencyCycles).toBe(costs.reduce((sum, { latencyCycles }) => sum + latencyCycles, 0));
    const [compressed, shift, dense] = costs.map(({ compute }) => compute.energyPj);
    expect(compressed! / dense!).toBeCloseTo(60 / 192, 9);
    expect(shift! / dense!).toBeCloseTo(958 / 1497, 9);
  });

  it("prices an operator of a kind that the design was not made for as on a machine that has it", () => {
    const asic = model();
    const layers = asic.layersOf(network([{ powerOfTwo: true }]));
    const added: Layer[] = layers.map((layer) => ({ ...layer, problem: { ...layer.problem, operation: "add" } }));
    const space = { fixed: [], positions: [[layers, added]] };
    const { prices } = asic.operatorPrices(space, [[0.5, 0.5]], asic.referenceDesign);
    expect(prices[0]!.every(Number.isFinite)).toBe(true);
    expect(prices[0]![1]).not.toBe(prices[0]![0]);
  });
});
