import fc from "fast-check";
import { expect, test } from "vitest";
import { GraphBuilder } from "../builder/builder.js";
import type { Dimension, Value } from "../ir/graph.js";
import { elementCount } from "../ir/tensor.js";

const sizes = (rank: { readonly minLength: number; readonly maxLength: number }): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 9 }), rank);

function input(g: GraphBuilder, name: string, shape: readonly Dimension[]): Value {
  return g.input(name, "float32", shape);
}

/** How many positions a window takes on an axis, counted one by one. */
function countWindows(padded: number, extent: number, stride: number): number {
  let count = 0;
  for (let start = 0; start + extent <= padded; start += stride) count++;
  return count;
}

test("convolution: every window position is an output", () => {
  const axis = fc.record({
    size: fc.integer({ min: 1, max: 20 }),
    kernel: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    begin: fc.integer({ min: 0, max: 3 }),
    end: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(axis, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 3 }), (axes, group) => {
      const g = new GraphBuilder("property");
      const x = input(g, "x", [2, 2 * group, ...axes.map(({ size }) => size)]);
      const weight = input(g, "weight", [3 * group, 2, ...axes.map(({ kernel }) => kernel)]);
      const convolve = (): Value =>
        g.conv(x, weight, undefined, {
          group,
          strides: axes.map(({ stride }) => stride),
          dilations: axes.map(({ dilation }) => dilation),
          pads: [...axes.map(({ begin }) => begin), ...axes.map(({ end }) => end)],
        });
      const counts = axes.map(({ size, kernel, stride, dilation, begin, end }) =>
        countWindows(size + begin + end, dilation * (kernel - 1) + 1, stride),
      );
      if (counts.includes(0)) expect(convolve).toThrow(/window is larger than the padded input/);
      else expect(convolve().type.shape).toEqual([2, 3 * group, ...counts]);
    }),
  );
});

test("transposed convolution turns the sizes of a convolution back", () => {
  fc.assert(
    fc.property(
      fc.record({
        size: fc.integer({ min: 6, max: 30 }),
        kernel: fc.integer({ min: 1, max: 5 }),
        stride: fc.integer({ min: 1, max: 4 }),
        pad: fc.integer({ min: 0, max: 2 }),
      }),
      ({ size, kernel, stride, pad }) => {
        const g = new GraphBuilder("property");
        const attributes = { strides: [stride], pads: [pad, pad] };
        const weight = input(g, "weight", [4, 3, kernel]);
        const y = g.conv(input(g, "x", [1, 3, size]), weight, undefined, attributes);
        const lost = (size + 2 * pad - kernel) % stride;
        const back = g.op("ConvTranspose", [y, weight], { ...attributes, output_padding: [lost] });
        expect(back.type.shape).toEqual([1, 3, size]);
      },
    ),
  );
});

test("broadcasting is commutative and keeps the larger size of every axis", () => {
  fc.assert(
    fc.property(sizes({ minLength: 0, maxLength: 4 }), fc.infiniteStream(fc.boolean()), (shape, coin) => {
      const g = new GraphBuilder("property");
      const a = input(
        g,
        "a",
        shape.map((size) => (coin.next().value ? size : 1)),
      );
      const b = input(
        g,
        "b",
        shape.map((size, axis) => (a.type.shape![axis] === size && coin.next().value ? 1 : size)),
      );
      expect(g.add(a, b).type.shape).toEqual(shape);
      expect(g.add(b, a).type.shape).toEqual(shape);
    }),
  );
});

test("slice takes the positions that counting gives", () => {
  const bound = fc.integer({ min: -12, max: 12 });
  const step = fc.constantFrom(1, 2, 3, -1, -2, -3);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), bound, bound, step, (size, start, end, by) => {
      const g = new GraphBuilder("property");
      const resolve = (position: number): number => (position < 0 ? position + size : position);
      // ONNX moves a start before the axis to 0 in both directions; NumPy takes nothing when it steps backwards from there.
      const first = Math.max(0, by > 0 ? resolve(start) : Math.min(size - 1, resolve(start)));
      const last = by > 0 ? Math.min(size, resolve(end)) : Math.max(-1, resolve(end));
      let count = 0;
      for (let at = first; by > 0 ? at < last : at > last; at += by) if (at >= 0 && at < size) count++;
      expect(g.slice(input(g, "x", [size, 2]), [start], [end], [0], [by]).type.shape).toEqual([count, 2]);
    }),
  );
});

test("reshape with -1 keeps the number of values, also of sizes known by name", () => {
  fc.assert(
    fc.property(sizes({ minLength: 1, maxLength: 4 }), fc.nat(), (shape, pick) => {
      const g = new GraphBuilder("property");
      const kept = pick % (shape.length + 1);
      const x = input(g, "x", ["batch", ...shape]);
      const merged = g.reshape(x, [-1, ...shape.slice(kept)]);
      const front = elementCount(shape.slice(0, kept));
      expect(merged.type.shape).toEqual([front === 1 ? "batch" : `${front}*batch`, ...shape.slice(kept)]);
      expect(g.reshape(merged, [-1, ...shape]).type.shape).toEqual(x.type.shape);
    }),
  );
});

test("transpose by a permutation and by its inverse gives the shape back", () => {
  const permuted = sizes({ minLength: 1, maxLength: 5 }).chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      permutation: fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
    }),
  );
  fc.assert(
    fc.property(permuted, ({ shape, permutation }) => {
      const g = new GraphBuilder("property");
      const moved = g.transpose(input(g, "x", shape), permutation);
      const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
      expect(moved.type.shape).toEqual(permutation.map((axis) => shape[axis]));
      expect(g.transpose(moved, inverse).type.shape).toEqual(shape);
    }),
  );
});

test("split parts concatenate to the whole", () => {
  fc.assert(
    fc.property(sizes({ minLength: 1, maxLength: 5 }), (parts) => {
      const g = new GraphBuilder("property");
      const whole = parts.reduce((total, part) => total + part, 0);
      const pieces = g.split(input(g, "x", [3, whole, 2]), parts, 1);
      expect(pieces.map(({ type }) => type.shape)).toEqual(parts.map((part) => [3, part, 2]));
      expect(g.concat(pieces, 1).type.shape).toEqual([3, whole, 2]);
    }),
  );
});

test("a matrix product has the rows of the left, the columns of the right, and broadcast batches", () => {
  fc.assert(
    fc.property(
      sizes({ minLength: 0, maxLength: 2 }),
      fc.tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 9 }))),
      (batch, [m, k, n]) => {
        const g = new GraphBuilder("property");
        const a = input(g, "a", [...batch, m!, k!]);
        expect(g.matMul(a, input(g, "b", [k!, n!])).type.shape).toEqual([...batch, m, n]);
        expect(g.matMul(a, input(g, "c", [...batch.map(() => 1), k!, n!])).type.shape).toEqual([...batch, m, n]);
        expect(() => g.matMul(a, input(g, "d", [k! + 1, n!]))).toThrow(/inner sizes differ/);
      },
    ),
  );
});
