import { createRandomStream } from "@dovetail/core";
import { countMacs, preActResNet18 } from "@dovetail/models";
import { expect, it } from "vitest";
import { drawnBits, drawnScalars, expectedCost, meanBitOperations } from "./precision-set.js";

const span = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

it("bit-operations are the published identities: 1024, 38 and 114 a multiply-accumulate", () => {
  expect(meanBitOperations([32])).toBe(1024);
  expect(meanBitOperations(span(4, 8))).toBe(38);
  expect(meanBitOperations(span(4, 16))).toBe(114);
});

it("times the multiply-accumulates of PreAct-ResNet-18 these are the published BitOPs, to 0.5 %", () => {
  // Published are three digits of figures that are 0.2 % above ours themselves.
  const macs = countMacs(preActResNet18().graph);
  expect(macs).toBe(555_422_720);
  const published = [
    [[32], 569.9e9],
    [span(4, 8), 21.2e9],
    [span(4, 16), 63.5e9],
  ] as const;
  for (const [set, operations] of published) {
    expect(Math.abs((macs * meanBitOperations(set)) / operations - 1)).toBeLessThan(0.005);
  }
});

it("a sub-set costs the mean of its own costs", () => {
  const costs = new Map([
    [4, 1],
    [8, 3],
    [16, 11],
  ]);
  const costOf = (bits: number): number => costs.get(bits)!;
  expect(expectedCost([4, 8, 16], costOf)).toBe(5);
  expect(expectedCost([4, 8], costOf)).toBe(2);
  expect(() => expectedCost([], costOf)).toThrow(/at least one/);
  expect(() => expectedCost([4, 4], costOf)).toThrow(/different bit-widths/);
});

it("draws each precision alike, the same one whenever a step is asked for", () => {
  const set = span(4, 16);
  const random = createRandomStream(1);
  const counts = new Map(set.map((bits) => [bits, 0]));
  for (let step = 0; step < 13_000; step++) {
    const bits = drawnBits(set, random, step);
    expect(drawnBits(set, random, step)).toBe(bits);
    counts.set(bits, counts.get(bits)! + 1);
  }
  // 1000 each; five standard deviations are 152.
  for (const [, count] of counts) expect(Math.abs(count - 1000)).toBeLessThan(152);
});

it("feeds a step the scalars of the precision that it draws", () => {
  const setting = (bits: number) => ({ index: bits - 4, bits });
  const random = createRandomStream(2);
  const scalars = drawnScalars({ setting }, span(4, 16), random);
  for (let step = 0; step < 50; step++) {
    const at = (name: string): number => (scalars[name] as (step: number) => number)(step);
    const bits = drawnBits(span(4, 16), random, step);
    expect({ index: at("index"), bits: at("bits") }).toEqual(setting(bits));
  }
});
