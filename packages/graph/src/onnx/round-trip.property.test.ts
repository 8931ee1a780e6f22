import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import { type ElementType, elementTypes, type TensorData } from "../ir/element-type.js";
import type { Attribute, Dimension, Graph, Model, Tensor, Value } from "../ir/graph.js";
import { readModel } from "./read-model.js";
import { modelOf, writeModel, writeModelWithExternalData } from "./write-model.js";

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 });
const size: fc.Arbitrary<Dimension> = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom("batch", "n", "höhe"));

/** A constant of any element type with any bytes. */
const constant: fc.Arbitrary<Tensor> = fc
  .record({
    elementType: fc.constantFrom(...(Object.keys(elementTypes) as ElementType[])),
    dimensions: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    bytes: fc.uint8Array({ minLength: 512, maxLength: 512 }),
    texts: fc.array(text, { minLength: 64, maxLength: 64 }),
  })
  .map(({ elementType, dimensions, bytes, texts }) => {
    const count = dimensions.reduce((a, b) => a * b, 1);
    const data: TensorData = elementTypes[elementType].allocate(count);
    if (Array.isArray(data)) for (let index = 0; index < count; index++) data[index] = texts[index]!;
    else new Uint8Array(data.buffer).set(bytes.subarray(0, data.byteLength));
    return { elementType, dimensions, data };
  });

const float32 = fc.float({ noNaN: true });
const integer = fc.oneof(fc.integer(), fc.maxSafeInteger());

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  integer.map((value): Attribute => ({ kind: "int", value })),
  float32.map((value): Attribute => ({ kind: "float", value: decimal(value) })),
  text.map((value): Attribute => ({ kind: "string", value })),
  constant.map((value): Attribute => ({ kind: "tensor", value })),
  fc.array(integer, { maxLength: 4 }).map((value): Attribute => ({ kind: "ints", value })),
  fc.array(float32, { maxLength: 4 }).map((value): Attribute => ({ kind: "floats", value: value.map(decimal) })),
  fc.array(text, { maxLength: 4 }).map((value): Attribute => ({ kind: "strings", value })),
  fc.array(constant, { maxLength: 2 }).map((value): Attribute => ({ kind: "tensors", value })),
);

/** The decimal of up to nine digits that stands for a float32, as the reader gives it. */
function decimal(value: number): number {
  for (const digits of [6, 7, 8])
    if (Math.fround(Number(value.toPrecision(digits))) === value) return Number(value.toPrecision(digits));
  return value;
}

const annotation = fc.record(
  {
    bitWidth: fc.integer({ min: 1, max: 32 }),
    sparsityFraction: fc.double({ min: 0, max: 1, noNaN: true }),
    powerOfTwo: fc.boolean(),
  },
  { requiredKeys: [] },
);

interface Recipe {
  readonly shape: Dimension[];
  readonly steps: {
    readonly kind: number;
    readonly from: number;
    readonly constant: Tensor;
    readonly annotation: object;
  }[];
  readonly unknown: Record<string, Attribute>;
  readonly metadata: [string, string][];
}

const recipe: fc.Arbitrary<Recipe> = fc.record({
  shape: fc.array(size, { minLength: 1, maxLength: 4 }),
  steps: fc.array(fc.record({ kind: fc.nat(4), from: fc.nat(), constant, annotation }), { minLength: 1, maxLength: 8 }),
  unknown: fc.dictionary(text, attribute, { maxKeys: 5 }),
  metadata: fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 3 }),
});

/** A graph of elementwise nodes, constants and an unknown operator, put together as the recipe says. */
function modelFrom({ shape, steps, unknown, metadata }: Recipe): Model {
  const g = new GraphBuilder("property");
  const values: Value[] = [g.input("x", "float32", shape)];
  for (const step of steps) {
    const source = values[step.from % values.length]!;
    const made = [
      () => g.relu(source),
      () => g.add(source, values[0]!),
      () => g.mul(source, 0.5),
      () => g.op("Identity", [g.constant(step.constant, `constant ${values.length}`)]),
      () => g.transpose(source, [...shape.keys()].reverse()),
    ][step.kind]!;
    const value = step.kind === 3 || source.type.elementType === "float32" ? tryStep(made) : undefined;
    if (!value) continue;
    g.annotate(value, step.annotation);
    values.push(value);
  }
  g.output(g.op("Identity", [values.at(-1)!]), "y");
  return modelOf(withUnknownNode(g.build(), unknown), { metadata: new Map(metadata) });
}

/** Sizes may not fit: that step is left out. */
function tryStep(step: () => Value): Value | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}

function withUnknownNode(graph: Graph, attributes: Record<string, Attribute>): Graph {
  const node = { name: "mystery", domain: "elsewhere", operator: "Mystery", inputs: ["x"], outputs: ["m"], attributes };
  const types = new Map([...graph.types, ["m", { elementType: "float64" as const, shape: ["any", 3] }]]);
  return { ...graph, nodes: [...graph.nodes, node], types };
}

describe("a model that is written and read back", () => {
  it("is the same", () => {
    fc.assert(
      fc.property(recipe, (parts) => {
        const model = modelFrom(parts);
        expect(readModel(writeModel(model))).toEqual(model);
      }),
      { numRuns: 300 },
    );
  });

  it("is the same with its constants in a second file", () => {
    fc.assert(
      fc.property(recipe, fc.integer({ min: 0, max: 64 }), (parts, minimumBytes) => {
        const model = modelFrom(parts);
        const { bytes, externalData } = writeModelWithExternalData(model, { location: "w", minimumBytes });
        const read = readModel(bytes, {
          externalData: (_, offset, length) => externalData.subarray(offset, offset + length),
        });
        expect(read).toEqual(model);
      }),
      { numRuns: 200 },
    );
  });
});
