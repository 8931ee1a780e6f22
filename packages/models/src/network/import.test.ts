import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, int64Vector, type Model, modelOf, tensor, tensorNumbers } from "@dovetail/graph";
import { describe, expect, it } from "vitest";
import { resNet } from "../zoo/resnet.js";
import { zooNetwork } from "../zoo/zoo.js";
import { classNamesOf, exportModel } from "./export.js";
import { networkOfModel, withoutParameterNotes } from "./import.js";
import { initializeParameters } from "./initialize.js";

const ramp = (dimensions: readonly number[]) =>
  tensor(
    "float32",
    dimensions,
    Array.from({ length: dimensions.reduce((product, size) => product * size, 1) }, (_, index) => index + 1),
  );

/** As exporters write it: batch fixed to 1, equal constants merged, flattened by a reshape, a softmax at the end. */
function exportedModel(): Model {
  const g = new GraphBuilder("exported");
  const image = g.input("pixels", "float32", [1, 3, 8, 8]);
  const shared = g.constant(ramp([4]), "shared");
  const normalize = (x: typeof image) => g.op("BatchNormalization", [x, shared, shared, shared, shared], {});
  const weight = g.constant(ramp([4, 3, 3, 3]), "conv.weight");
  let x = normalize(g.conv(image, weight, undefined, { pads: [1, 1, 1, 1] }));
  x = normalize(g.conv(x, g.constant(ramp([4, 4, 1, 1]), "pointwise.weight")));
  x = g.mul(x, g.constant(ramp([1, 4, 1, 1]), "gain"));
  const flat = g.op("Reshape", [x, g.constant(int64Vector([1, 256]), "shape")]);
  const product = g.matMul(flat, g.constant(ramp([256, 5]), "dense.weight"));
  g.output(g.softmax(g.add(product, g.constant(ramp([5]), "dense.bias")), 1), "probabilities");
  return modelOf(g.build());
}

describe("an imported model as a network", () => {
  const { network, weights } = networkOfModel(exportedModel());

  it("gets its parameters with their roles, and leaves other constants alone", () => {
    const roles = Object.fromEntries(network.parameters.map(({ name, role }) => [name, role]));
    expect(roles).toMatchObject({ "conv.weight": "weight", "dense.weight": "weight", "dense.bias": "bias" });
    const count = (role: string) => Object.values(roles).filter((value) => value === role).length;
    expect(["weight", "bias", "scale", "shift", "runningMean", "runningVariance"].map(count)).toEqual([
      3, 1, 2, 2, 2, 2,
    ]);
    expect([...network.graph.initializers.keys()]).toContain("gain");
    expect(network.graph.inputs.length).toBe(1 + network.parameters.length);
  });

  it("gives each normalization its own copy of constants that the exporter merged", () => {
    const own = network.graph.nodes
      .filter(({ operator }) => operator === "BatchNormalization")
      .flatMap(({ inputs }) => inputs.slice(1));
    expect(new Set(own).size).toBe(8);
    for (const name of own) expect(tensorNumbers(weights.get(name)!)).toEqual([1, 2, 3, 4]);
  });

  it("has a symbolic batch, its own image name, and logits before the softmax", () => {
    expect(network.graph.types.get("pixels")?.shape).toEqual(["batch", 3, 8, 8]);
    expect(network.graph.types.get(network.logits)?.shape).toEqual(["batch", 5]);
    expect(network.graph.nodes.at(-1)).toMatchObject({ operator: "Softmax", inputs: [network.logits] });
    expect(network.classCount).toBe(5);
  });

  it("keeps running statistics from the optimizer", () => {
    for (const { role, trainable, decay } of network.parameters) {
      const isStatistic = role === "runningMean" || role === "runningVariance";
      expect([trainable, decay]).toEqual([!isStatistic, !isStatistic]);
    }
  });

  it("is the same where weights are outputs of Constant nodes", () => {
    const model = exportedModel();
    const { graph } = model;
    const initializers = new Map(graph.initializers);
    const nodes = ["conv.weight", "shape"].map((name) => {
      const value = { kind: "tensor" as const, value: initializers.get(name)! };
      initializers.delete(name);
      const attributes = { value };
      return { name: `${name}/Constant`, domain: "", operator: "Constant", inputs: [], outputs: [name], attributes };
    });
    const written = { ...model, graph: { ...graph, initializers, nodes: [...nodes, ...graph.nodes] } };
    const again = networkOfModel(written);
    expect(again.network.graph.nodes).toEqual(network.graph.nodes);
    expect(new Map([...again.weights].sort())).toEqual(new Map([...weights].sort()));
  });

  it("is the same again after an export", () => {
    const again = networkOfModel(exportModel(network, weights));
    expect(again.network.parameters).toEqual(network.parameters);
    expect(again.weights).toEqual(weights);
    expect(again.network.graph.nodes).toEqual(network.graph.nodes);
  });
});

describe("what cannot be a network", () => {
  it("is refused with what was expected", () => {
    const g = new GraphBuilder("two inputs");
    const sum = g.add(g.input("a", "float32", ["batch", 3, 8, 8]), g.input("b", "float32", ["batch", 3, 8, 8]));
    g.output(g.flatten(sum));
    expect(() => networkOfModel(modelOf(g.build()))).toThrow(
      /expected one image, .* received a float32\[batch,3,8,8\]/,
    );
    const h = new GraphBuilder("no classifier");
    h.output(h.relu(h.input("image", "float32", ["batch", 3, 8, 8])), "features");
    expect(() => networkOfModel(modelOf(h.build()))).toThrow(/expected logits or probabilities/);
  });

  it("names a constant whose values are not there", () => {
    const model = exportedModel();
    const initializers = new Map(model.graph.initializers).set("conv.weight", {
      elementType: "float32",
      dimensions: [4, 3, 3, 3],
    });
    expect(() => networkOfModel({ ...model, graph: { ...model.graph, initializers } })).toThrow(/"conv.weight"/);
  });
});

describe("an export", () => {
  const network = zooNetwork("resnet8");
  const weights = initializeParameters(network, createRandomStream(1));

  it("has the image as its only input, and class names in its metadata", () => {
    const classNames = Array.from({ length: 10 }, (_, index) => `class ${index}`);
    const model = exportModel(network, weights, { classNames, metadata: { author: "a test" } });
    expect(model.graph.inputs.map(({ name }) => name)).toEqual(["image"]);
    expect(classNamesOf(model)).toEqual(classNames);
    expect(model.metadata.get("author")).toBe("a test");
  });

  it("refuses missing parameters, parameters of another shape, and class names of another number", () => {
    const missing = new Map(weights);
    missing.delete("stem.conv.weight");
    expect(() => exportModel(network, missing)).toThrow(/parameter "stem.conv.weight".*expected float32\[16,3,3,3\]/);
    const wrong = new Map(weights).set("stem.conv.weight", ramp([16, 3, 1, 1]));
    expect(() => exportModel(network, wrong)).toThrow(/stem.conv.weight.*expected float32\[16,3,3,3\]/);
    expect(() => exportModel(network, weights, { classNames: ["one"] })).toThrow(/expected 10, received 1/);
    const model = exportModel(network, weights, { metadata: { classNames: "{}" } });
    expect(() => classNamesOf(model)).toThrow(/expected a JSON array of strings, received {}/);
  });
});

it("forgets what was noted of its parameters' values, whole or in part, and of nothing else", () => {
  const built = resNet({ depth: 8, classCount: 10, pixels: { height: 8, width: 8 } });
  const weights = initializeParameters(built, createRandomStream(1));
  const { network } = networkOfModel(exportModel(built, weights));
  const annotations = new Map([
    ["stem.conv.weight", { bitWidth: 8, powerOfTwo: true }],
    [network.logits, { bitWidth: 8 }],
  ]);
  const noted = { ...network, graph: { ...network.graph, annotations } };
  expect([...withoutParameterNotes(noted).graph.annotations.keys()]).toEqual([network.logits]);
  const kept = withoutParameterNotes(noted, ["powerOfTwo"]).graph.annotations;
  expect([...kept]).toEqual([
    ["stem.conv.weight", { bitWidth: 8 }],
    [network.logits, { bitWidth: 8 }],
  ]);
});
