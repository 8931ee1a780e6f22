import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { DovetailError } from "@dovetail/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shapeTable } from "../shape/table.js";
import { AttributeProtoSchema, ModelProtoSchema } from "./generated/onnx_pb.js";
import { readModel } from "./read-model.js";

const golden = JSON.parse(readFileSync(new URL("./peer-models.golden.json", import.meta.url), "utf8")) as {
  readonly models: Readonly<Record<string, { readonly base64: string }>>;
};
const files = Object.values(golden.models).map(({ base64 }) => new Uint8Array(Buffer.from(base64, "base64")));

/** Reads damaged bytes: a model or an input error, nothing else. */
function survives(bytes: Uint8Array): "read" | "refused" {
  try {
    readModel(bytes, { missingExternalData: "shape-only" });
    return "read";
  } catch (error) {
    if (!(error instanceof DovetailError)) throw error;
    for (const { kind } of error.diagnostics) expect(kind).toBe("input");
    return "refused";
  }
}

const file = fc.nat(files.length - 1).map((index) => files[index]!);
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("damaged files", () => {
  it("are refused with an input error, or still a model, when bytes are changed", () => {
    const change = fc.record({ at: fraction, byte: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(file, fc.array(change, { minLength: 1, maxLength: 4 }), (bytes, changes) => {
        const damaged = bytes.slice();
        for (const { at, byte } of changes) damaged[Math.floor(at * bytes.length)] = byte;
        survives(damaged);
      }),
      { numRuns: 3000 },
    );
  });

  it("are refused or still a model when single bits are flipped", () => {
    fc.assert(
      fc.property(file, fraction, fc.integer({ min: 0, max: 7 }), (bytes, at, bit) => {
        const damaged = bytes.slice();
        damaged[Math.floor(at * bytes.length)]! ^= 1 << bit;
        survives(damaged);
      }),
      { numRuns: 3000 },
    );
  });

  it("are refused when they are cut short in the graph", () => {
    fc.assert(
      fc.property(file, fraction, (bytes, at) => {
        // What follows the graph are a few bytes of operator sets and metadata, which a file may do without.
        const length = Math.floor(at * (bytes.length - 64));
        expect(survives(bytes.subarray(0, length))).toBe("refused");
      }),
      { numRuns: 1000 },
    );
  });

  it("are refused or still a model when parts are repeated, taken out or put elsewhere", () => {
    fc.assert(
      fc.property(file, fraction, fraction, fraction, fc.boolean(), (bytes, a, b, c, removes) => {
        const [from, to] = [a, b].map((at) => Math.floor(at * bytes.length)).sort((x, y) => x - y) as [number, number];
        const target = Math.floor(c * bytes.length);
        const kept = removes ? [bytes.subarray(0, from), bytes.subarray(to)] : [bytes];
        const whole = Buffer.concat(kept);
        survives(Buffer.concat([whole.subarray(0, target), bytes.subarray(from, to), whole.subarray(target)]));
      }),
      { numRuns: 1000 },
    );
  });

  it("are refused when they are random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(survives(bytes)).toBe("refused");
      }),
      { numRuns: 1000 },
    );
  });

  it("are refused or still a model when nodes are nonsense", () => {
    const integer = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom(2 ** 31, -(2 ** 53), 2 ** 40, 1e9));
    const mutation = fc.record({
      node: fc.nat(),
      what: fc.constantFrom("operator", "swap", "drop", "blank", "attribute", "output", "shape"),
      operator: fc.constantFrom(...Object.keys(shapeTable)),
      other: fc.nat(),
      integers: fc.array(integer, { maxLength: 6 }),
      name: fc.constantFrom("axis", "axes", "perm", "pads", "strides", "kernel_shape", "group", "to", "keepdims", "k"),
    });
    fc.assert(
      fc.property(file, fc.array(mutation, { minLength: 1, maxLength: 4 }), (bytes, mutations) => {
        const model = fromBinary(ModelProtoSchema, bytes);
        for (const change of mutations) mutate(model, change);
        survives(toBinary(ModelProtoSchema, model));
      }),
      { numRuns: 2000 },
    );
  });
});

interface Mutation {
  readonly node: number;
  readonly what: string;
  readonly operator: string;
  readonly other: number;
  readonly integers: readonly number[];
  readonly name: string;
}

/** One nonsensical change to a model whose bytes stay a sound message. */
function mutate(model: ReturnType<typeof fromBinary<typeof ModelProtoSchema>>, change: Mutation): void {
  const graph = model.graph!;
  const node = graph.node[change.node % graph.node.length]!;
  const at = change.other % Math.max(1, node.input.length);
  const values = [...graph.initializer, ...graph.input].map(({ name }) => name!);
  const ints = change.integers.map(BigInt);
  if (change.what === "operator") node.opType = change.operator;
  if (change.what === "swap") node.input[at] = values[change.other % values.length]!;
  if (change.what === "drop") node.input.splice(at, 1);
  if (change.what === "blank") node.input[at] = "";
  if (change.what === "output") node.output.splice(0, 1, `new ${change.other}`);
  if (change.what === "attribute") {
    const kinds = [
      { type: 2, i: ints[0] ?? 0n },
      { type: 7, ints },
      { type: 1, f: change.integers[0] ?? 0 },
    ];
    const attribute = create(AttributeProtoSchema, { ...kinds[change.other % kinds.length]!, name: change.name });
    node.attribute = [...node.attribute.filter(({ name }) => name !== change.name), attribute];
  }
  if (change.what === "shape") {
    const constant = graph.initializer.find(({ dataType }) => dataType === 7);
    if (constant) Object.assign(constant, { dims: [BigInt(ints.length)], int64Data: ints });
    if (constant) delete constant.rawData;
  }
}
