import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { Graph, Node } from "../ir/graph.js";
import { int64Vector, scalar, tensor } from "../ir/tensor.js";
import { bindParameters } from "./bind-parameters.js";
import { eliminateCommonSubexpressions } from "./eliminate-common-subexpressions.js";
import { eliminateDeadCode } from "./eliminate-dead-code.js";
import { extractSubgraph } from "./extract-subgraph.js";
import { inferTypes } from "./infer-types.js";
import { renameValues } from "./rename-values.js";
import { topologicalSort } from "./topological-sort.js";

const operators = (graph: Graph): string[] => graph.nodes.map(({ operator }) => operator);
const outputsOf = (graph: Graph): (string | undefined)[] => graph.nodes.map(({ outputs }) => outputs[0]);

/** y = relu(x) + relu(x), z = exp(x); names: Relu:out, Relu_1:out. */
function twoRelus(): Graph {
  const g = new GraphBuilder("two");
  const x = g.input("x", "float32", ["n", 4]);
  const first = g.relu(x);
  const second = g.relu(x);
  g.output(g.add(first, second), "y");
  g.output(g.exp(x), "z");
  return g.build();
}

/** One whose If uses a value of the surrounding graph. */
function withBranch(): Graph {
  const branch = (value: string, operator: string): Graph => ({
    name: value,
    inputs: [],
    outputs: [{ name: value, type: { elementType: "float32", shape: ["n", 4] } }],
    nodes: [
      { name: `${value}_node`, domain: "", operator, inputs: ["doubled"], outputs: [value], attributes: {} },
      {
        name: `${value}_dead`,
        domain: "",
        operator: "Neg",
        inputs: ["doubled"],
        outputs: [`${value}_unused`],
        attributes: {},
      },
    ],
    initializers: new Map(),
    types: new Map(),
    annotations: new Map(),
    customGradients: [],
  });
  const g = new GraphBuilder("branching");
  const x = g.input("x", "float32", ["n", 4]);
  const flag = g.input("flag", "bool", []);
  g.output(g.op("Add", [x, x], {}, { outputs: ["doubled"] }), "doubled");
  const graph = g.build();
  const node: Node = {
    name: "if",
    domain: "",
    operator: "If",
    inputs: [flag.name],
    outputs: ["y"],
    attributes: {
      then_branch: { kind: "graph", value: branch("then", "Relu") },
      else_branch: { kind: "graph", value: branch("else", "Exp") },
    },
  };
  const output = { name: "y", type: { elementType: "float32" as const, shape: ["n", 4] } };
  return inferTypes({ ...graph, nodes: [...graph.nodes, node], outputs: [output] });
}

const subgraph = (node: Node | undefined, name: string): Graph => {
  const attribute = node?.attributes[name];
  if (attribute?.kind !== "graph") throw new Error(`no subgraph ${name}`);
  return attribute.value;
};

describe("eliminateDeadCode", () => {
  it("takes out what no output depends on, types and annotations with it, and keeps inputs", () => {
    const g = new GraphBuilder("dead");
    const x = g.input("x", "float32", [4]);
    g.input("unused", "float32", [4]);
    const dead = g.exp(g.add(x, g.constant(tensor("float32", [4], [1, 2, 3, 4]), "dead_constant")));
    g.annotate(dead, { bitWidth: 8 });
    g.output(g.relu(x), "y");
    const graph = eliminateDeadCode(g.build());
    expect(operators(graph)).toEqual(["Relu"]);
    expect(graph.initializers.size).toBe(0);
    expect([...graph.types.keys()].sort()).toEqual(["unused", "x", "y"]);
    expect(graph.annotations.size).toBe(0);
    expect(graph.inputs.map(({ name }) => name)).toEqual(["x", "unused"]);
  });

  it("keeps what subgraphs use, and cleans them", () => {
    const graph = eliminateDeadCode(withBranch());
    expect(operators(graph)).toEqual(["Add", "If"]);
    expect(operators(subgraph(graph.nodes[1], "then_branch"))).toEqual(["Relu"]);
  });

  it("keeps all inputs and outputs of a region of which one output is used, and forgets unused regions", () => {
    const g = new GraphBuilder("region");
    const x = g.input("x", "float32", [4]);
    const scale = g.exp(x);
    const [used] = g.customGradient(
      [x, scale],
      ([a, b]) => [g.relu(a!), g.neg(b!)],
      (gradients) => gradients,
    );
    g.stopGradient(x);
    g.output(used!, "y");
    const graph = eliminateDeadCode(g.build());
    expect(operators(graph)).toEqual(["Exp", "Relu", "Neg"]);
    expect(graph.customGradients).toHaveLength(1);
  });
});

describe("eliminateCommonSubexpressions", () => {
  it("merges nodes that compute the same, chains of them too", () => {
    const g = new GraphBuilder("chains");
    const x = g.input("x", "float32", [4]);
    g.output(g.add(g.exp(g.relu(x)), g.exp(g.relu(x))), "y");
    const graph = eliminateCommonSubexpressions(g.build());
    expect(operators(graph)).toEqual(["Relu", "Exp", "Add"]);
    expect(graph.nodes[2]!.inputs).toEqual(["Exp:out", "Exp:out"]);
    expect([...graph.types.keys()].sort()).toEqual(["Exp:out", "Relu:out", "x", "y"]);
  });

  it("tells attributes, kinds of attributes and annotations apart", () => {
    const g = new GraphBuilder("different");
    const x = g.input("x", "float32", [4, 4]);
    const sums = [0, 1, 1].map((axis) => g.softmax(x, axis));
    g.annotate(sums[2]!, { bitWidth: 8 });
    g.output(g.add(g.add(sums[0]!, sums[1]!), sums[2]!), "y");
    expect(operators(eliminateCommonSubexpressions(g.build()))).toEqual([
      "Softmax",
      "Softmax",
      "Softmax",
      "Add",
      "Add",
    ]);
  });

  it("leaves outputs, random numbers and custom-gradient regions alone", () => {
    const g = new GraphBuilder("kept");
    const x = g.input("x", "float32", [4]);
    const random = () => g.op("RandomNormal", [], { shape: [4], dtype: 1 });
    g.output(g.add(random(), random()), "noise");
    g.output(g.round(x), "rounded");
    g.output(g.round(x), "rounded_too");
    g.output(
      g.straightThrough(x, (value) => g.round(value)),
      "through",
    );
    const graph = g.build();
    expect(eliminateCommonSubexpressions(graph)).toEqual(graph);
  });

  it("merges small constants by their values", () => {
    const g = new GraphBuilder("constants");
    const x = g.input("x", "float32", [2]);
    const half = () => g.op("Constant", [], { value: tensor("float32", [2], [0.5, -0]) });
    const zero = () => g.op("Constant", [], { value: tensor("float32", [2], [0.5, 0]) });
    g.output(g.add(g.add(g.add(x, half()), half()), zero()), "y");
    expect(operators(eliminateCommonSubexpressions(g.build()))).toEqual(["Constant", "Add", "Add", "Constant", "Add"]);
  });
});

describe("renameValues", () => {
  it("renames inputs, outputs, constants and what nodes and subgraphs read", () => {
    const graph = renameValues(
      withBranch(),
      new Map([
        ["doubled", "twice"],
        ["x", "image"],
        ["y", "result"],
      ]),
    );
    expect(graph.inputs[0]!.name).toBe("image");
    expect(graph.outputs[0]!.name).toBe("result");
    expect(graph.nodes[0]).toMatchObject({ inputs: ["image", "image"], outputs: ["twice"] });
    expect(subgraph(graph.nodes[1], "else_branch").nodes[0]!.inputs).toEqual(["twice"]);
    expect(graph.types.get("twice")).toEqual({ elementType: "float32", shape: ["n", 4] });
    expect(graph.types.has("doubled")).toBe(false);
  });

  it("may swap names, and refuses unknown, doubled and empty ones", () => {
    const swapped = renameValues(
      twoRelus(),
      new Map([
        ["y", "z"],
        ["z", "y"],
      ]),
    );
    expect(swapped.outputs.map(({ name }) => name)).toEqual(["z", "y"]);
    expect(() => renameValues(twoRelus(), new Map([["nothing", "a"]]))).toThrow(/no value "nothing"/);
    expect(() => renameValues(twoRelus(), new Map([["y", "z"]]))).toThrow(/two values would be named "z"/);
    expect(() => renameValues(twoRelus(), new Map([["y", ""]]))).toThrow(/empty/);
  });

  it("keeps annotations and regions", () => {
    const g = new GraphBuilder("kept");
    const x = g.input("x", "float32", [4]);
    const y = g.stopGradient(x);
    g.annotate(x, { bitWidth: 4 });
    g.output(y, "y");
    const graph = renameValues(
      g.build(),
      new Map([
        ["x", "a"],
        ["y", "b"],
      ]),
    );
    expect(graph.annotations.get("a")).toEqual({ bitWidth: 4 });
    expect(graph.customGradients[0]).toMatchObject({ inputs: ["a"], outputs: ["b"] });
  });
});

describe("topologicalSort", () => {
  it("puts producers before users, and keeps what is in order where it is", () => {
    const graph = twoRelus();
    expect(topologicalSort(graph).nodes).toEqual(graph.nodes);
    const reversed = { ...graph, nodes: graph.nodes.toReversed() };
    expect(outputsOf(topologicalSort(reversed))).toEqual(["z", "Relu_1:out", "Relu:out", "y"]);
  });

  it("sees what subgraphs use", () => {
    const graph = withBranch();
    const reversed = { ...graph, nodes: graph.nodes.toReversed() };
    expect(operators(topologicalSort(reversed))).toEqual(["Add", "If"]);
  });

  it("refuses circles", () => {
    const graph = twoRelus();
    const nodes = graph.nodes.map((node) => (node.operator === "Relu" ? { ...node, inputs: ["y"] } : node));
    expect(() => topologicalSort({ ...graph, nodes })).toThrow(/node "Relu" \(Relu\) depends on its own output/);
  });
});

describe("bindParameters", () => {
  it("turns inputs into constants and infers types anew", () => {
    const g = new GraphBuilder("bind");
    const x = g.input("x", "float32", ["n", 6]);
    const shape = g.input("shape", "int64", [2]);
    g.output(g.reshape(x, shape), "y");
    const graph = bindParameters(
      g.build(),
      new Map([
        ["shape", int64Vector([-1, 3])],
        ["x", tensor("float32", [1, 6], [1, 2, 3, 4, 5, 6])],
      ]),
    );
    expect(graph.inputs).toEqual([]);
    expect(graph.initializers.get("shape")).toEqual(int64Vector([-1, 3]));
    expect(graph.outputs[0]!.type).toEqual({ elementType: "float32", shape: [2, 3] });
  });

  it("refuses names and types that do not fit", () => {
    const g = new GraphBuilder("bind");
    const weight = g.input("weight", "float32", ["k", "k"]);
    g.output(g.relu(weight), "y");
    const graph = g.build();
    const bind = (name: string, constant: Parameters<typeof tensor>) => () =>
      bindParameters(graph, new Map([[name, tensor(...constant)]]));
    expect(bind("weigth", ["float32", [1, 1], [1]])).toThrow(/no input "weigth".*did you mean "weight"/);
    expect(bind("weight", ["float32", [1, 2], [1, 2]])).toThrow(/expected float32\[k,k\], received float32\[1,2\]/);
    expect(bind("weight", ["float64", [1, 1], [1]])).toThrow(/received float64\[1,1\]/);
    expect(bind("weight", ["float32", [1], [1]])).toThrow(/received float32\[1\]/);
  });
});

describe("extractSubgraph", () => {
  function chain(): Graph {
    const g = new GraphBuilder("chain");
    const x = g.input("x", "float32", ["n", 4]);
    const scaled = g.op("Mul", [x, g.constant(scalar(2), "two")], {}, { outputs: ["scaled"] });
    const shifted = g.op("Add", [scaled, g.constant(scalar(1), "one")], {}, { outputs: ["shifted"] });
    g.annotate(shifted, { bitWidth: 8 });
    g.output(g.relu(shifted), "y");
    return g.build();
  }

  it("cuts a graph into segments that take up where the one before ends", () => {
    const first = extractSubgraph(chain(), ["x"], ["scaled"]);
    const second = extractSubgraph(chain(), ["scaled"], ["y"]);
    expect(operators(first)).toEqual(["Mul"]);
    expect([...first.initializers.keys()]).toEqual(["two"]);
    expect(first.outputs).toEqual([{ name: "scaled", type: { elementType: "float32", shape: ["n", 4] } }]);
    expect(operators(second)).toEqual(["Add", "Relu"]);
    expect([...second.initializers.keys()]).toEqual(["one"]);
    expect(second.inputs).toEqual(first.outputs);
    expect([...second.annotations.keys()]).toEqual(["shifted"]);
    expect([...second.types.keys()].sort()).toEqual(["one", "scaled", "shifted", "y"]);
  });

  it("may take a constant as an input", () => {
    const segment = extractSubgraph(chain(), ["x", "two"], ["scaled"]);
    expect(segment.inputs.map(({ name }) => name)).toEqual(["x", "two"]);
    expect(segment.initializers.size).toBe(0);
  });

  it("keeps a node of which one output comes from outside and another is needed", () => {
    const g = new GraphBuilder("split");
    const x = g.input("x", "float32", [4]);
    const [left, right] = g.node("Split", [x, g.int64s([2, 2])], { axis: 0 }, { outputs: ["left", "right"] });
    g.output(g.add(left!, right!), "y");
    const segment = extractSubgraph(g.build(), ["x", "left"], ["y"]);
    expect(segment.nodes[0]!.outputs).toEqual(["left:unused", "right"]);
    expect(inferTypes(segment).outputs[0]!.type.shape).toEqual([2]);
  });

  it("refuses values that aren't there, and inputs of the graph that are needed but not named", () => {
    expect(() => extractSubgraph(chain(), ["x"], ["nothing"])).toThrow(/"nothing"/);
    expect(() => extractSubgraph(chain(), ["shifted"], ["scaled"])).toThrow(/needs the graph's input "x"/);
  });
});

describe("inferTypes", () => {
  it("goes on where a batch size changes", () => {
    const graph = twoRelus();
    const inputs = [{ name: "x", type: { elementType: "float32" as const, shape: [7, 4] } }];
    const typed = inferTypes({ ...graph, inputs });
    expect(typed.types.get("Relu:out")?.shape).toEqual([7, 4]);
    expect(typed.outputs.map(({ type }) => type.shape)).toEqual([
      [7, 4],
      [7, 4],
    ]);
  });

  it("types subgraphs, and keeps what it knows of unknown operators' outputs", () => {
    expect(subgraph(withBranch().nodes[1], "then_branch").types.get("then_unused")).toEqual({
      elementType: "float32",
      shape: ["n", 4],
    });
    const graph = twoRelus();
    const nodes = graph.nodes.map((node) => (node.operator === "Exp" ? { ...node, operator: "Mystery" } : node));
    const types = new Map([...graph.types, ["z", { elementType: "int8" as const, shape: [1] }]]);
    expect(inferTypes({ ...graph, nodes, types }).outputs[1]!.type).toEqual({ elementType: "int8", shape: [1] });
  });
});
