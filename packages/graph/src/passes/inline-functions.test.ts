import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { Attribute, FunctionDefinition, Graph, Model, Node } from "../ir/graph.js";
import { modelOf } from "../onnx/write-model.js";
import { inlineFunctions } from "./inline-functions.js";

const node = (
  operator: string,
  inputs: string[],
  outputs: string[],
  attributes: Record<string, Attribute> = {},
  domain = "",
): Node => ({ name: `${operator}_${outputs[0]}`, domain, operator, inputs, outputs, attributes });

const definition = (name: string, nodes: Node[], more: Partial<FunctionDefinition> = {}): FunctionDefinition => ({
  domain: "own",
  name,
  inputs: ["a", "b"],
  outputs: ["c"],
  attributes: [],
  nodes,
  opsets: new Map([["", 18]]),
  ...more,
});

/** x [2] and w [2] into y, by these nodes. */
function model(nodes: Node[], functions: FunctionDefinition[]): Model {
  const g = new GraphBuilder("calls");
  g.input("x", "float32", [2]);
  g.input("w", "float32", [2]);
  const output = { name: "y", type: { elementType: "float32" as const, shape: [2] } };
  const graph: Graph = { ...g.build(), nodes, outputs: [output] };
  return { ...modelOf(graph), functions };
}

const listing = ({ graph }: Model): string[] =>
  graph.nodes.map(({ operator, inputs, outputs }) => `${outputs} = ${operator}(${inputs})`);

describe("inlineFunctions", () => {
  it("puts bodies in the place of calls, with the caller's values, and types them", () => {
    const body = definition("F", [node("Mul", ["a", "b"], ["t"]), node("Add", ["t", "a"], ["c"])]);
    const calls = [node("F", ["x", "w"], ["h"], {}, "own"), node("F", ["h", "w"], ["y"], {}, "own")];
    const inlined = inlineFunctions(model(calls, [body]));
    expect(listing(inlined)).toEqual(["F_h/t = Mul(x,w)", "h = Add(F_h/t,x)", "F_y/t = Mul(h,w)", "y = Add(F_y/t,h)"]);
    expect(inlined.functions).toEqual([]);
    expect(inlined.graph.types.get("F_y/t")).toEqual({ elementType: "float32", shape: [2] });
  });

  it("gives the caller's attributes, the function's defaults, or none", () => {
    const reference = (value: string): Attribute => ({ kind: "reference", value, of: "float" });
    const body = definition(
      "F",
      [
        node("LeakyRelu", ["a"], ["s"], { alpha: reference("given") }),
        node("LeakyRelu", ["s"], ["t"], { alpha: reference("defaulted") }),
        node("LeakyRelu", ["t"], ["c"], { alpha: reference("absent") }),
      ],
      { attributes: ["given", "absent"], attributeDefaults: { defaulted: { kind: "float", value: 0.2 } } },
    );
    const call = node("F", ["x"], ["y"], { given: { kind: "float", value: 0.1 } }, "own");
    const { graph } = inlineFunctions(model([call], [body]));
    expect(graph.nodes.map(({ attributes }) => attributes)).toEqual([
      { alpha: { kind: "float", value: 0.1 } },
      { alpha: { kind: "float", value: 0.2 } },
      {},
    ]);
  });

  it("leaves absent inputs absent, and passes inputs on that are outputs", () => {
    const body = definition("F", [node("Clip", ["a", "b"], ["c"])], { outputs: ["c", "a"] });
    const calls = [node("F", ["x"], ["h", "same"], {}, "own"), node("Add", ["h", "same"], ["y"])];
    expect(listing(inlineFunctions(model(calls, [body])))).toEqual([
      "h = Clip(x,)",
      "same = Identity(x)",
      "y = Add(h,same)",
    ]);
  });

  it("goes into functions that call functions, and into subgraphs on both sides", () => {
    const branch = (value: string, operator: string, domain = ""): Attribute => ({
      kind: "graph",
      value: {
        name: value,
        inputs: [],
        outputs: [{ name: value, type: { elementType: "float32", shape: [2] } }],
        nodes: [node(operator, ["a"], [value], {}, domain)],
        initializers: new Map(),
        types: new Map(),
        annotations: new Map(),
        customGradients: [],
      },
    });
    const inner = definition("Inner", [node("Relu", ["a"], ["c"])], { inputs: ["a"] });
    const outer = definition("Outer", [
      node("If", ["b"], ["c"], { then_branch: branch("t", "Inner", "own"), else_branch: branch("t", "Neg") }),
    ]);
    const flag = node("Greater", ["x", "w"], ["flag"]);
    const call = node("Outer", ["x", "flag"], ["y"], {}, "own");
    const { graph } = inlineFunctions(model([flag, call], [inner, outer]));
    const then = graph.nodes[1]!.attributes.then_branch;
    if (then?.kind !== "graph") throw new Error("the branch is missing");
    expect(then.value.nodes).toMatchObject([{ operator: "Relu", inputs: ["x"], outputs: ["Outer_y/t"] }]);
    expect(then.value.outputs).toMatchObject([{ name: "Outer_y/t" }]);
  });

  it("refuses functions that call themselves, or grow without bound", () => {
    const recursive = definition("F", [node("F", ["a", "b"], ["c"], {}, "own")]);
    expect(() => inlineFunctions(model([node("F", ["x", "w"], ["y"], {}, "own")], [recursive]))).toThrow(
      /calls itself/,
    );
    const doubling = Array.from({ length: 30 }, (_, level) => {
      const called = level === 0 ? ["Add", ""] : [`F${level - 1}`, "own"];
      return definition(`F${level}`, [
        node(called[0]!, ["a", "b"], ["t"], {}, called[1]),
        node(called[0]!, ["t", "b"], ["c"], {}, called[1]),
      ]);
    });
    const bomb = model([node("F29", ["x", "w"], ["y"], {}, "own")], doubling);
    expect(() => inlineFunctions(bomb, { maximumNodes: 1000 })).toThrow(/expected at most 1000/);
  });
});
