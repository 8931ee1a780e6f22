import { resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { choicePercent, defaultChoices, pairPercent, productCosts } from "./cost.js";
import { countedLayers } from "./layers.js";
import { residualBlocks } from "./residual-blocks.js";

describe("cp, against the published code's figures (algorithms.md §3.2, §3.3)", () => {
  it.each([
    [3, 6, 1.465],
    [4, 6, 2.083],
    [5, 8, 3.418],
    [6, 8, 4.297],
    [6, 10, 5.078],
    [6, 12, 5.859],
    [8, 8, 6.25],
    [8, 10, 7.292],
    [8, 12, 8.333],
    [8, 16, 10.417],
  ])("of the pair %i/%i is %f %%", (forwardBits, backwardBits, percent) => {
    expect(pairPercent({ forwardBits, backwardBits })).toBeCloseTo(percent, 3);
  });

  it("of the gates' choices with 4-bit weights; a skip costs nothing", () => {
    const percents = defaultChoices.map((choice) => choicePercent(choice, 4));
    expect(percents.map((percent) => Number(percent.toFixed(3)))).toEqual([0, 1.758, 2.083, 2.604, 3.385, 4.688]);
  });

  it("multiplies the bits of the operands that each product has", () => {
    const costs = productCosts({ weightBits: 4, activationBits: 3, gradientBits: 6 });
    expect(costs).toEqual({ forward: 12 / 1024, error: 24 / 1024, gradient: 18 / 1024 });
    expect(productCosts({ weightBits: 32, activationBits: 32, gradientBits: 32 })).toEqual({
      forward: 1,
      error: 1,
      gradient: 1,
    });
  });
});

describe("multiply-accumulates of ResNets for CIFAR-10, millions (algorithms.md §3.3)", () => {
  it.each([
    [20, 40.11],
    [38, 82.58],
    [74, 167.51],
  ])("ResNet-%i: blocks %f, stem 0.442, shortcuts 0.262, classifier 0.00064", (depth, millions) => {
    const network = resNet({ depth });
    const layers = new Map(countedLayers(network).map((layer) => [layer.name, layer]));
    const blocks = residualBlocks(network);
    const sum = (names: Iterable<string>): number =>
      [...names].reduce((total, name) => total + (layers.get(name)?.macs ?? 0), 0) / 1e6;
    const inBranches = new Set(blocks.flatMap(({ branch }) => branch.map(({ name }) => name)));
    const inShortcuts = new Set(blocks.flatMap(({ shortcut }) => shortcut.map(({ name }) => name)));
    expect(blocks.length).toBe((depth - 2) / 2);
    expect(sum(inBranches)).toBeCloseTo(millions, 2);
    expect(sum(inShortcuts)).toBeCloseTo(0.262, 3);
    const outside = [...layers.keys()].filter((name) => !inBranches.has(name) && !inShortcuts.has(name));
    expect(outside.map((name) => layers.get(name)!.macs)).toEqual([442_368, 640]);
  });

  it("the layer that reads the image has no error product, all others do", () => {
    const layers = countedLayers(resNet({ depth: 8 }));
    expect(layers.filter(({ hasErrorProduct }) => !hasErrorProduct).map(({ macs }) => macs)).toEqual([442_368]);
  });
});
