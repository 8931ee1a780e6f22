import { expect, it } from "vitest";
import { createBitCounter } from "./bit-counter.js";
import { pairPercent } from "./cost.js";

const layers = [
  { name: "stem", macs: 100, hasErrorProduct: false },
  { name: "block", macs: 1000, hasErrorProduct: true },
];
const narrow = { weightBits: 4, activationBits: 3, gradientBits: 6 };
const wide = { weightBits: 8, activationBits: 8, gradientBits: 8 };

it("counts each product by the images that computed it at each precision", () => {
  const counter = createBitCounter(layers);
  counter.add(10, ({ name }) => (name === "stem" ? [{ bits: wide, images: 10 }] : [{ bits: narrow, images: 4 }]));
  counter.add(10, () => [
    { bits: narrow, images: 3 },
    { bits: wide, images: 5 },
  ]);
  const { steps, layers: counted, total, float32Total } = counter.read();
  expect(steps).toBe(2);
  expect(float32Total).toBe(20 * (2 * 100 + 3 * 1000));
  const [stem, block] = counted;
  expect(stem!.forward).toBeCloseTo((100 * (15 * 64 + 3 * 12)) / 1024, 9);
  expect(stem!.error).toBe(0);
  expect(block!.error).toBeCloseTo((1000 * (7 * 24 + 5 * 64)) / 1024, 9);
  expect(block!.gradient).toBeCloseTo((1000 * (7 * 18 + 5 * 64)) / 1024, 9);
  const sum = counted.reduce((all, { forward, error, gradient }) => all + forward + error + gradient, 0);
  expect(total).toBeCloseTo(sum, 9);
});

it("gives a static training's cp where every layer has all three products", () => {
  const counter = createBitCounter(layers.map((layer) => ({ ...layer, hasErrorProduct: true })));
  for (let step = 0; step < 3; step++) counter.add(7, () => [{ bits: wide, images: 7 }]);
  const { total, float32Total } = counter.read();
  expect((100 * total) / float32Total).toBeCloseTo(pairPercent({ forwardBits: 8, backwardBits: 8 }), 9);
});

it("goes on from its state, and refuses another network's", () => {
  const first = createBitCounter(layers);
  first.add(2, () => [{ bits: narrow, images: 2 }]);
  const second = createBitCounter(layers);
  second.restore(JSON.parse(JSON.stringify(first.state())));
  for (const counter of [first, second]) counter.add(2, () => [{ bits: wide, images: 1 }]);
  expect(second.read()).toEqual(first.read());
  expect(() => createBitCounter(layers.slice(1)).restore(first.state())).toThrow("2 layers for a network of 1");
});
