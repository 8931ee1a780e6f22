import { macCount } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { operatorShapes, problemOf } from "../../fixtures/layers.js";
import { networkBlocks } from "./blocks.js";
import type { LayerResult } from "./report-data.js";

function layer(name: string): LayerResult {
  const [shape] = operatorShapes("residual_k3", { name: "x", inputs: 8, outputs: 8, size: 4, stride: 1 });
  const problem = problemOf({ ...shape!, name });
  return { name, problem, macs: macCount(problem), latencyCycles: 1 };
}

const summary = (names: string[], operators: string[] | undefined, positions: string[]): string[] =>
  networkBlocks({ layers: names.map(layer), operators }, positions).map(
    (block) => `${block.name} ${block.operator ?? "-"} ${block.layers.length}`,
  );

describe("networkBlocks", () => {
  it("gathers the layers of each position, and neighbours of one scope", () => {
    const names = [
      "stem/conv/Conv",
      "s1.0.basic/first/Conv",
      "s1.0.basic/second/Conv",
      "s1.1.inv/conv/Conv",
      "head.a",
      "head.b",
    ];
    expect(summary(names, ["basic", "inv"], ["s1.0", "s1.1"])).toEqual([
      "stem - 1",
      "s1.0 basic 2",
      "s1.1 inv 1",
      "head - 2",
    ]);
  });

  it("puts positions without layers in their place", () => {
    const names = ["stem", "s.1.x.conv", "classifier"];
    expect(summary(names, ["skip", "x", "skip", "skip"], ["s.0", "s.1", "s.2", "s.3"])).toEqual([
      "stem - 1",
      "s.0 skip 0",
      "s.1 x 1",
      "s.2 skip 0",
      "s.3 skip 0",
      "classifier - 1",
    ]);
  });

  it("does not take s1.10 for a layer of s1.1", () => {
    expect(summary(["s1.1.a.conv", "s1.10.b.conv"], ["a", "b"], ["s1.1", "s1.10"])).toEqual(["s1.1 a 1", "s1.10 b 1"]);
  });

  it("goes by scopes where nothing was searched", () => {
    expect(summary(["conv1", "layer1.0.a", "layer1.0.b", "fc"], undefined, [])).toEqual([
      "conv1 - 1",
      "layer1.0 - 2",
      "fc - 1",
    ]);
  });
});
