import { fusionCost } from "@dovetail/hardware";
import { resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { bitFusionFigures } from "./bit-fusion-array.js";
import type { OperandBits } from "./cost.js";
import { shapedLayers } from "./products.js";
import { twoInOneFigures } from "./two-in-one-array.js";

const network = resNet({ depth: 8 });
const layers = shapedLayers(network);
const at = (bits: number): OperandBits => ({ weightBits: bits, activationBits: bits, gradientBits: bits });
/** A strided layer and the classifier: each cost is a search for a tiling. */
const some = layers.filter(({ name, shape }) => name.includes("stage3/0/first") || shape.outputSize === 1);
const arrays = { bitFusion: bitFusionFigures, twoInOne: twoInOneFigures };
const all = (array: keyof typeof arrays, bits: OperandBits, images = 32) =>
  arrays[array](some.map((layer) => ({ layer, bits, images })));

describe("training on an array", () => {
  it("sees every layer of a ResNet, with strides and sizes", () => {
    expect(layers.length).toBe(10);
    const strided = layers.filter(({ shape }) => shape.stride === 2);
    expect(strided.map(({ shape }) => [shape.kernelSize, shape.inputSize, shape.outputSize])).toEqual([
      [3, 32, 16],
      [1, 32, 16],
      [3, 16, 8],
      [1, 16, 8],
    ]);
  });

  it("takes the forward product as Bit Fusion's model does, and the products with the same work as long", () => {
    const layer = layers.find(({ name }) => name.includes("stage3/0/second"))!;
    const { inputChannels, outputChannels, kernelSize, outputSize, stride } = layer.shape;
    expect([inputChannels, outputChannels, kernelSize, outputSize]).toEqual([64, 64, 3, 8]);
    const array = {
      rows: 16,
      columns: 32,
      widestBits: 8,
      narrowestBits: 2,
      weightBufferBits: 65536 * 8,
      inputBufferBits: 32768 * 8,
      outputBufferBits: 16384 * 8,
      offChipBitsPerCycle: 192,
    };
    const shape = { name: "forward", batch: 32, inputChannels, outputChannels, kernelSize, outputSize, stride };
    const forward = fusionCost({ ...shape, activationBits: 8, weightBits: 8 }, array);
    const { latencyCycles } = bitFusionFigures([
      { layer: { ...layer, hasErrorProduct: true }, bits: at(8), images: 32 },
    ]);
    // Three products, 64 channels in and out: none can be faster than the array, and the first is the model's own.
    expect(latencyCycles).toBeGreaterThan(forward.latencyCycles + 2 * forward.computeCycles * 0.99);
    expect(latencyCycles).toBeLessThan(6 * forward.latencyCycles);
  });

  it.each(["bitFusion", "twoInOne"] as const)(
    "costs less with fewer bits on %s, in proportion to the images, and nothing without any",
    (array) => {
      const [two, four, eight] = [all(array, at(2)), all(array, at(4)), all(array, at(8))];
      for (const figure of ["latencyCycles", "energyPj"] as const) {
        expect(two[figure]).toBeLessThan(four[figure]);
        expect(four[figure]).toBeLessThan(eight[figure]);
        expect(all(array, at(4), 64)[figure]).toBeCloseTo(2 * four[figure], -3);
        expect(all(array, at(4), 0)[figure]).toBe(0);
      }
    },
  );

  it("rounds widths up to Bit Fusion's bricks, and takes passes above 8 bits", () => {
    const bits = { ...at(4), activationBits: 3 };
    expect(all("bitFusion", bits).latencyCycles).toBeLessThanOrEqual(all("bitFusion", at(4)).latencyCycles);
    for (const array of ["bitFusion", "twoInOne"] as const) {
      expect(all(array, { ...at(8), gradientBits: 12 }).latencyCycles).toBeGreaterThan(all(array, at(8)).latencyCycles);
    }
  });

  it("cuts wide operands in slices of equal width: 16 by 16 bits as four passes of 8 by 8", () => {
    const [eight, sixteen] = [all("twoInOne", at(8)), all("twoInOne", at(16))];
    expect(sixteen.energyPj).toBeCloseTo(4 * eight.energyPj, -1);
    expect(sixteen.latencyCycles).toBeCloseTo(4 * eight.latencyCycles, 3);
  });
});
