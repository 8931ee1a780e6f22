import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { AttributeInput } from "../ir/attribute.js";
import type { ElementType } from "../ir/element-type.js";
import type { Shape, Value } from "../ir/graph.js";
import { tensor } from "../ir/tensor.js";

// Made by oracles/shape-inference.py with onnx.shape_inference (strict mode, data propagation).

interface Case {
  readonly inputs: Readonly<Record<string, readonly [ElementType, Shape]>>;
  readonly constants: Readonly<Record<string, readonly [ElementType, readonly number[], readonly number[]]>>;
  readonly nodes: readonly (readonly [string, readonly string[], number, Readonly<Record<string, AttributeInput>>])[];
  /** A null size is one that onnx does not know. */
  readonly types: Readonly<Record<string, readonly [ElementType, readonly (number | string | null)[] | null]>>;
}

const golden = JSON.parse(readFileSync(new URL("./shape-inference.golden.json", import.meta.url), "utf8")) as {
  readonly onnx: string;
  readonly opset: number;
  readonly onnxruntime: string;
  readonly cases: readonly Case[];
  readonly pooling: readonly (readonly [string, ...numbers: number[]])[];
};

function inferredTypes(one: Case, opset: number): ReadonlyMap<string, Value> {
  const g = new GraphBuilder("case", { opset });
  const values = new Map<string, Value>();
  for (const [name, [elementType, shape]] of Object.entries(one.inputs))
    values.set(name, g.input(name, elementType, shape));
  for (const [name, [elementType, dimensions, data]] of Object.entries(one.constants)) {
    values.set(name, g.constant(tensor(elementType, dimensions, data), name));
  }
  one.nodes.forEach(([operator, inputs, count, attributes], at) => {
    const names = Array.from({ length: count }, (_, index) => `y${at}_${index}`);
    const operands = inputs.map((name) => values.get(name));
    for (const output of g.node(operator, operands, attributes, { outputs: names })) values.set(output.name, output);
  });
  return values;
}

const operators = new Map<string, Case[]>();
for (const one of golden.cases) {
  const name = one.nodes.map(([operator]) => operator).join(" → ");
  operators.set(name, [...(operators.get(name) ?? []), one]);
}

describe(`shapes agree with onnx ${golden.onnx}`, () => {
  test("there are enough cases", () => {
    expect(golden.cases.length).toBeGreaterThanOrEqual(500);
    expect(operators.size).toBeGreaterThanOrEqual(75);
  });

  test.each([...operators])("%s", (_, cases) => {
    for (const one of cases) {
      const values = inferredTypes(one, golden.opset);
      for (const [name, [elementType, shape]] of Object.entries(one.types)) {
        const own = values.get(name)!.type;
        const about = JSON.stringify({ nodes: one.nodes, inputs: one.inputs });
        expect(own.elementType, about).toBe(elementType);
        if (!shape) continue;
        expect(own.shape?.length, about).toBe(shape.length);
        expect(
          own.shape?.map((size, axis) => (shape[axis] === null ? null : size)),
          about,
        ).toEqual(shape);
      }
    }
  });
});

test(`pooling that rounds up has the sizes that ONNX Runtime ${golden.onnxruntime} computes`, () => {
  expect(golden.pooling.length).toBeGreaterThanOrEqual(100);
  for (const [operator, size, kernel, stride, begin, end, dilation, output] of golden.pooling) {
    const g = new GraphBuilder("pooling");
    const dilations = dilation === 1 ? undefined : [dilation!];
    const attributes = { kernel_shape: [kernel!], strides: [stride!], pads: [begin!, end!], dilations, ceil_mode: 1 };
    const pooled = g.op(operator, [g.input("x", "float32", [1, 1, size!])], attributes);
    expect(pooled.type.shape, JSON.stringify({ operator, size, attributes })).toEqual([1, 1, output]);
  }
});
