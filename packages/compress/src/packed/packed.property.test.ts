import { createRandomStream, DovetailError } from "@dovetail/core";
import { type Tensor, tensor } from "@dovetail/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decomposeLayer } from "../decomposition/decompose-layer.js";
import { weightShapeOf } from "../layers/weight-layers.js";
import { storageOf } from "../network/storage.js";
import { integerTensor } from "../pruning/prune-weights.js";
import { type PackedTensor, unpackTensor } from "./packed-tensor.js";
import { decodePacked } from "./read-packed.js";
import { encodePacked } from "./write-packed.js";

const size = (max: number) => fc.integer({ min: 1, max });
const kernels = fc.oneof(fc.constant<number[]>([]), fc.array(size(4), { minLength: 1, maxLength: 2 }));

function weightsOf(dimensions: readonly number[], seed: number, zeros: number): Tensor {
  const random = createRandomStream(seed >>> 0);
  const count = dimensions.reduce((product, extent) => product * extent, 1);
  const data = Float32Array.from({ length: count }, () => (random.uniform() < zeros ? 0 : random.normal()));
  return { elementType: "float32", dimensions, data };
}

const compressedTensors: fc.Arbitrary<PackedTensor> = fc
  .record({
    channels: fc.tuple(size(5), size(40)),
    kernel: kernels,
    isTransposed: fc.boolean(),
    seed: fc.integer(),
    zeros: fc.constantFrom(0, 0.5, 0.97, 1),
    bits: fc.integer({ min: 1, max: 7 }),
    kind: fc.constantFrom("structured", "integers"),
  })
  .map(({ channels, kernel, seed, zeros, bits, kind, ...rest }) => {
    const dimensions = [...channels, ...kernel];
    const isTransposed = rest.isTransposed && kernel.length === 0;
    const shape = weightShapeOf(dimensions, isTransposed);
    const weights = weightsOf(dimensions, seed, zeros);
    if (kind === "integers") {
      return integerTensor({ name: "w", operator: "Conv", shape, isTransposed }, weights, { bitWidth: bits + 1 });
    }
    const { layer } = decomposeLayer(weights.data as Float32Array, shape, { exponents: bits, iterations: 2 });
    return { kind: "structured", dimensions, isTransposed, layer };
  });

const plainTensors: fc.Arbitrary<PackedTensor> = fc.oneof(
  fc.float32Array({ maxLength: 9 }).map(
    (data): PackedTensor => ({
      kind: "plain",
      tensor: { elementType: "float32", dimensions: [data.length], data },
    }),
  ),
  fc.constant<PackedTensor>({ kind: "plain", tensor: tensor("int64", [2], [3, -4]) }),
);

const files = fc.record({
  tensors: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.oneof(compressedTensors, plainTensors), {
    maxKeys: 4,
  }),
  graph: fc.uint8Array({ maxLength: 20 }),
});

const encode = ({ tensors, graph }: { tensors: Record<string, PackedTensor>; graph: Uint8Array }): Uint8Array =>
  encodePacked({ tensors: new Map(Object.entries(tensors)), graph, metadata: { by: "test" } });

describe("a packed file", () => {
  it("gives the very tensors back", () => {
    fc.assert(
      fc.property(files, (file) => {
        const read = decodePacked(encode(file));
        expect(read.graph).toEqual(file.graph);
        expect(read.metadata).toEqual({ by: "test" });
        expect([...read.tensors.keys()]).toEqual(Object.keys(file.tensors));
        for (const [name, packed] of Object.entries(file.tensors)) {
          expect(read.tensors.get(name)).toEqual(packed);
          expect(unpackTensor(read.tensors.get(name)!)).toEqual(unpackTensor(packed));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("has the size that the compression rate says, and its header", () => {
    fc.assert(
      fc.property(files, (file) => {
        const bytes = encode(file);
        const view = new DataView(bytes.buffer);
        const description = view.getUint32(8, true);
        const header = 8 + 4 + description + 4 + file.graph.length + 32;
        const { bits, elements, compressionRate } = storageOf(new Map(Object.entries(file.tensors)));
        expect(bytes.length - header).toBe(Math.ceil(bits / 8));
        if (bits > 0) expect(compressionRate).toBe((32 * elements) / bits);
      }),
      { numRuns: 60 },
    );
  });

  it("cut off, lengthened or changed anywhere is refused", () => {
    fc.assert(
      fc.property(
        files,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        size(255),
        (file, part, change) => {
          const bytes = encode(file);
          const at = Math.floor(part * bytes.length);
          const changed = bytes.slice();
          changed[at]! ^= change;
          for (const wrong of [bytes.slice(0, at), changed, Uint8Array.from([...bytes, 0])]) {
            expect(codeOf(() => decodePacked(wrong))).toBe("packed_corrupt");
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof DovetailError) return error.diagnostics[0]!.code;
    throw error;
  }
  return "none";
}
