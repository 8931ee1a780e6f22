import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import { dovetailDomain } from "../ir/graph.js";
import { expandOwnOperators } from "./expand-own-operators.js";
import { ownOperators } from "./own-operators.js";

function graphOfAll(): GraphBuilder {
  const g = new GraphBuilder("all");
  const image = g.input("image", "float32", ["batch", 4, 6, 6]);
  const half = g.input("half", "float32", ["batch", 4, 3, 3]);
  const weight = g.input("weight", "float32", [4, 4, 3, 3]);
  const vectors = ["scale", "bias", "mean", "variance"].map((name) => g.input(name, "float32", [4]));
  const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], dilations: [1, 1] };
  const spatial = { input_shape: [6, 6] };
  const results = [
    ...g.ownNode("ConvInputGradient", [half, weight], { ...window, ...spatial, group: 1 }),
    ...g.ownNode("ConvWeightGradient", [image, half], { ...window, group: 1 }),
    ...g.ownNode("BatchNormalizationTraining", [image, ...vectors.slice(0, 2)], {}, { outputs: 3 }),
    ...g.ownNode("BatchNormalizationGradient", [image, image, vectors[0], ...vectors.slice(2)], {}, { outputs: 3 }),
    ...g.ownNode("ReluGradient", [image, image]),
    ...g.ownNode("ClipGradient", [image, image, g.scalar(0), g.scalar(6)]),
    ...g.ownNode("MaxPoolGradient", [half, image, half], { ...window, ceil_mode: 0 }),
    ...g.ownNode("AffineQuantization", [
      image,
      ...["min", "step", "levels"].map((name) => g.input(name, "float32", [])),
      g.input("on", "bool", []),
      image,
    ]),
    ...g.ownNode("AdderConv", [image, weight], window),
    ...g.ownNode("AdderConvInputGradient", [half, image, weight], window),
    ...g.ownNode("AveragePoolGradient", [half], { ...window, ...spatial, ceil_mode: 0, count_include_pad: 0 }),
  ];
  results.forEach((value, index) => {
    g.output(value, `result${index}`);
  });
  return g;
}

describe("expandOwnOperators", () => {
  it("leaves standard operators only, under the same outputs and types", () => {
    const graph = graphOfAll().build();
    const own = graph.nodes.filter(({ domain }) => domain === dovetailDomain).map(({ operator }) => operator);
    expect(own.sort()).toEqual(Object.keys(ownOperators).sort());
    const expanded = expandOwnOperators(graph);
    expect(expanded.nodes.every(({ domain }) => domain === "")).toBe(true);
    expect(expanded.outputs).toEqual(graph.outputs);
    const produced = new Set([...expanded.inputs.map(({ name }) => name), ...expanded.initializers.keys()]);
    for (const node of expanded.nodes) {
      for (const input of node.inputs) expect(input === "" || produced.has(input), `${node.name}: ${input}`).toBe(true);
      for (const output of node.outputs) {
        expect(produced.has(output), output).toBe(false);
        produced.add(output);
      }
    }
    for (const { name } of expanded.outputs) expect(produced.has(name)).toBe(true);
  });

  it("keeps what it is told to keep", () => {
    const expanded = expandOwnOperators(graphOfAll().build(), { except: new Set(["ReluGradient"]) });
    const own = expanded.nodes.filter(({ domain }) => domain === dovetailDomain);
    expect(own.map(({ operator }) => operator)).toEqual(["ReluGradient"]);
  });

  it("gives its values names that the graph has not", () => {
    const g = new GraphBuilder("names");
    const x = g.input("x", "float32", [2]);
    g.input("mask/Greater:out", "bool", [2]);
    const [y] = g.ownNode("ReluGradient", [x, x], {}, { name: "mask" });
    g.output(y!, "y");
    const greater = expandOwnOperators(g.build()).nodes.find(({ operator }) => operator === "Greater")!;
    expect(greater.outputs).toEqual(["mask_1/Greater:out"]);
  });

  it("belongs to operators that refuse a window which is not spelt out", () => {
    const g = new GraphBuilder("window");
    const x = g.input("x", "float32", [1, 2, 4, 4]);
    const window = { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 0, 0] };
    for (const operator of ["MaxPoolGradient", "AveragePoolGradient", "ConvWeightGradient", "ConvInputGradient"]) {
      expect(() => g.ownNode(operator, [x, x, x], { ...window, input_shape: [4, 4] })).toThrow(
        /the window is not spelt out.*dilations of 2 entries/,
      );
    }
  });

  it("returns a graph without own operators as it is", () => {
    const g = new GraphBuilder("plain");
    g.output(g.relu(g.input("x", "float32", [2])), "y");
    const graph = g.build();
    expect(expandOwnOperators(graph)).toBe(graph);
  });
});
