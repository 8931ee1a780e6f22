import { createRandomStream } from "@dovetail/core";
import type { StructuredAnnotation, Tensor } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { stripes } from "../../testing/stripes.js";
import { imagesOfAllClasses, ownNetworkOnMachines, zeroRowsInStep } from "./own-network.js";

const dataset = stripes({ train: 40, validation: 0, test: 8 });

describe("rows that all filters in step can skip", () => {
  it("are those that are zero in every one of them", () => {
    // Four filters of two rows: the first row is zero in filters 0 and 1, the second in 1 to 3.
    const data = Float32Array.from([0, 0, 1, 1, /**/ 0, 0, 0, 0, /**/ 1, 0, 0, 0, /**/ 0, 2, 0, 0]);
    expect(zeroRowsInStep({ count: 4, data }, 2, 4)).toBe(0);
    expect(zeroRowsInStep({ count: 4, data }, 2, 2)).toBe(0.5);
    // The last group has one filter.
    expect(zeroRowsInStep({ count: 4, data }, 2, 3)).toBe(0.25);
    expect(zeroRowsInStep({ count: 4, data }, 2, 1)).toBe(5 / 8);
    // A filter of three weights is filled up.
    expect(zeroRowsInStep({ count: 1, data: Float32Array.from([0, 1, 0]) }, 2, 1)).toBe(0.5);
  });

  it("alone save time; what is zero in single filters saves the units' energy", { timeout: 60_000 }, async () => {
    const own = (rowOf: (filter: number, rows: number) => (row: number) => boolean) => compressed(rowOf);
    const settings = () => ({ random: createRandomStream(3), evaluations: 6, watch: {} });
    const dense = await ownNetworkOnMachines(
      own(() => () => false),
      settings(),
    );
    const shared = await ownNetworkOnMachines(
      own((_, rows) => (row) => row < rows / 2),
      settings(),
    );
    // Neighbouring filters' halves differ.
    const single = await ownNetworkOnMachines(
      own((filter, rows) => (row) => row < rows / 2 === (filter % 2 === 0)),
      settings(),
    );
    expect([dense.zeroRowsInStep, single.zeroRowsInStep]).toEqual([0, 0]);
    // Half of the rows of the seven 3×3 layers; three other layers have none.
    expect(single.zeroRowsOfWeights).toBeCloseTo(0.35, 9);
    expect(shared.zeroRowsInStep).toBeCloseTo(shared.zeroRowsOfWeights, 9);
    const units = ({ costs }: typeof dense) => costs.SmartExchange.partsPj.units!;
    const cycles = ({ costs }: typeof dense) => costs.SmartExchange.latencyCycles;
    expect(units(single)).toBeLessThan(0.75 * units(dense));
    expect(cycles(shared)).toBeLessThan(0.9 * cycles(dense));
    expect(cycles(single)).toBeGreaterThan(1.05 * cycles(shared));
  });
});

/** A small network whose layers have zero rows where `rowOf` says so. */
function compressed(rowOf: (filter: number, rows: number) => (row: number) => boolean) {
  const network = resNet({
    depth: 8,
    classCount: 4,
    pixels: { height: 8, width: 8, mean: [0, 0, 0], standardDeviation: [64, 64, 64] },
  });
  const annotations: Record<string, StructuredAnnotation> = {};
  const weights = new Map<string, Tensor>();
  for (const [name, tensor] of initializeParameters(network, createRandomStream(1))) {
    const [filters, channels, height, columns] = tensor.dimensions;
    if (columns !== 3) {
      weights.set(name, tensor);
      continue;
    }
    const rows = channels! * height!;
    const data = Float32Array.from(tensor.data as Float32Array, (value, index) =>
      rowOf(Math.floor(index / (rows * 3)), rows)(Math.floor(index / 3) % rows) ? 0 : value,
    );
    weights.set(name, { ...tensor, data } as Tensor);
    let keptRows = 0;
    for (let row = 0; row < filters! * rows; row++) if (data[row * 3] !== 0) keptRows++;
    const counts = { columns: 3, rows: filters! * rows, keptRows, bases: filters!, nonZeroCoefficients: keptRows * 3 };
    annotations[name] = { ...counts, coefficientBitWidth: 4, basisBitWidth: 8 };
  }
  return { network, weights, annotations, dataset };
}

describe("activations", () => {
  it("are of training images of all classes, evenly", () => {
    const size = 192;
    const images = dataset.images("train");
    const labelOf = (image: Float32Array): number => {
      const at = dataset
        .labels("train")
        .findIndex((_, index) => image.every((value, offset) => value === images[index * size + offset]));
      return dataset.labels("train")[at]!;
    };
    for (const [asked, ofEach] of [
      [8, 2],
      [100, 10],
    ] as const) {
      const chosen = imagesOfAllClasses(dataset, asked);
      const labels = Array.from({ length: chosen.length / size }, (_, index) =>
        labelOf(chosen.subarray(index * size, (index + 1) * size)),
      );
      expect([0, 1, 2, 3].map((label) => labels.filter((each) => each === label).length)).toEqual([
        ofEach,
        ofEach,
        ofEach,
        ofEach,
      ]);
    }
  });

  it("and costs of the pruned network are those of the machines for zeros anywhere", { timeout: 60_000 }, async () => {
    const own = compressed(() => () => false);
    const pruned = new Map(
      [...own.weights].map(([name, tensor]) => [
        name,
        tensor.dimensions.length < 2
          ? tensor
          : ({
              ...tensor,
              data: (tensor.data as Float32Array).map((value, index) => (index % 4 === 0 ? value : 0)),
            } as Tensor),
      ]),
    );
    const settings = { random: createRandomStream(3), evaluations: 6, watch: {} };
    const { costs, pruned: found } = await ownNetworkOnMachines({ ...own, pruned }, settings);
    expect(found!.weightZeroFraction).toBeCloseTo(0.75, 2);
    for (const name of ["SCNN", "Cambricon-X"] as const) {
      expect(found!.costs[name].partsPj.units).toBeLessThan(0.5 * costs[name].partsPj.units!);
    }
  });
});
