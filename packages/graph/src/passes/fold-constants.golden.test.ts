import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ElementType, elementTypes } from "../ir/element-type.js";
import type { Attribute, Graph, Tensor } from "../ir/graph.js";
import { foldConstants } from "./fold-constants.js";
import { inferTypes } from "./infer-types.js";

interface Array_ {
  readonly elementType: string;
  readonly dimensions: number[];
  readonly values: (number | string | boolean)[];
}

interface Case {
  readonly operator: string;
  readonly inputs: (Array_ | null)[];
  readonly attributes: Record<string, number | number[]>;
  readonly tensorAttributes: Record<string, Array_>;
  readonly outputs: Array_[];
}

const { cases } = JSON.parse(readFileSync(new URL("./fold-constants.golden.json", import.meta.url), "utf8")) as {
  readonly cases: Case[];
};

function toTensor({ elementType, dimensions, values }: Array_): Tensor {
  const data = elementTypes[elementType as ElementType].allocate(values.length) as unknown as Record<number, unknown>;
  const isWide = elementType === "int64" || elementType === "uint64";
  values.forEach((value, index) => {
    data[index] = isWide ? BigInt(value) : Number(value);
  });
  return { elementType: elementType as ElementType, dimensions, data: data as unknown as Float32Array };
}

/** A graph of one node on constants; Identities stand between it and the graph's outputs, which are never folded. */
function graphOf({ operator, inputs, attributes, tensorAttributes, outputs }: Case): Graph {
  const initializers = new Map<string, Tensor>();
  inputs.forEach((input, index) => {
    if (input) initializers.set(`i${index}`, toTensor(input));
  });
  const all: Record<string, Attribute> = {};
  for (const [name, value] of Object.entries(attributes)) {
    all[name] = typeof value === "number" ? { kind: "int", value } : { kind: "ints", value };
  }
  for (const [name, value] of Object.entries(tensorAttributes)) all[name] = { kind: "tensor", value: toTensor(value) };
  const identities = outputs.map((_, index) => ({
    name: `identity${index}`,
    domain: "",
    operator: "Identity",
    inputs: [`o${index}`],
    outputs: [`y${index}`],
    attributes: {},
  }));
  const node = {
    name: "node",
    domain: "",
    operator,
    inputs: inputs.map((input, index) => (input ? `i${index}` : "")),
    outputs: outputs.map((_, index) => `o${index}`),
    attributes: all,
  };
  return inferTypes({
    name: "case",
    inputs: [],
    outputs: outputs.map((_, index) => ({ name: `y${index}`, type: { elementType: "float32" } })),
    nodes: [node, ...identities],
    initializers,
    types: new Map(),
    annotations: new Map(),
    customGradients: [],
  });
}

/** Operators whose last bits depend on how a library computes them. */
const approximate = new Set(["Exp", "Log", "Sigmoid", "Tanh", "Pow", "ReduceSum", "ReduceProd", "Sum"]);

describe("folding constants computes what ONNX Runtime computes", () => {
  it.each(cases.map((entry, index) => [`${entry.operator} ${index}`, entry] as const))("%s", (_, entry) => {
    const graph = foldConstants(graphOf(entry));
    entry.outputs.forEach((output, index) => {
      const expected = toTensor(output);
      const folded = graph.initializers.get(`o${index}`)!;
      expect(folded.elementType).toBe(expected.elementType);
      expect(folded.dimensions).toEqual(expected.dimensions);
      if (!approximate.has(entry.operator)) {
        expect(folded.data).toEqual(expected.data);
        return;
      }
      (expected.data as Float32Array).forEach((value, at) => {
        const received = folded.data![at] as number;
        if (Number.isFinite(value))
          expect(Math.abs(received - value)).toBeLessThanOrEqual(2e-6 * (1 + Math.abs(value)));
        else expect(received).toBe(value);
      });
    });
    expect(graph.nodes.map(({ operator }) => operator)).toEqual(entry.outputs.map(() => "Identity"));
  });
});
