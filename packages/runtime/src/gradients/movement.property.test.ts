import { tensor } from "@dovetail/graph";
import { describe } from "vitest";
import { between, ints, isOpen, oneOf, property, shapeOf, someAxes } from "./testing/draw.js";
import type { InputSpecification, NodeSpecification } from "./testing/finite-differences.js";

// Gradients against central differences, on random shapes and attributes.

describe("moving values", () => {
  property("Slice", (random) => {
    const shape = shapeOf(random, between(random, 1, 3), 6);
    const axes = someAxes(random, shape.length);
    const steps = axes.map(() => oneOf(random, [1, 2, 3, -1, -2]));
    const ends = axes.map((axis, index) => {
      const size = shape[axis]!;
      return steps[index]! > 0 ? between(random, 1, size + 1) : -size - 1 + random.integer(2);
    });
    const starts = axes.map((axis, index) =>
      steps[index]! > 0 ? random.integer(Math.min(ends[index]!, shape[axis]!)) : shape[axis]! - 1 - random.integer(2),
    );
    return {
      operator: "Slice",
      inputs: [{ shape }, ints(...starts), ints(...ends), ints(...axes), ints(...steps)],
      openBatch: isOpen(random),
    };
  });

  property("Pad", (random) => {
    const shape = shapeOf(random, between(random, 1, 3)).map((size) => size + 1);
    const mode = oneOf(random, ["constant", "reflect", "edge", "wrap"]);
    const pads = [...shape, ...shape].map((size) => random.integer(Math.min(size, 3)));
    return {
      operator: "Pad",
      attributes: { mode },
      inputs: [{ shape }, ints(...pads), mode === "constant" && random.integer(2) === 0 ? { shape: [] } : undefined],
      openBatch: isOpen(random),
    };
  });

  property("Concat and Split", (random) => {
    const shape = shapeOf(random, between(random, 1, 3), 3);
    const axis = random.integer(shape.length);
    const sizes = Array.from({ length: between(random, 1, 3) }, () => between(random, 1, 3));
    const sized = (size: number): number[] => shape.map((own, index) => (index === axis ? size : own));
    if (random.integer(2) === 0) {
      return { operator: "Concat", attributes: { axis }, inputs: sizes.map((size) => ({ shape: sized(size) })) };
    }
    const total = sizes.reduce((sum, size) => sum + size, 0);
    return {
      operator: "Split",
      attributes: { axis },
      inputs: [{ shape: sized(total) }, ints(...sizes)],
      outputs: sizes.length,
    };
  });

  property("Transpose, Tile, Expand", (random) => {
    const shape = shapeOf(random, between(random, 1, 4), 3);
    const operator = oneOf(random, ["Transpose", "Tile", "Expand"]);
    const order = random.shuffle(shape.map((_, axis) => axis));
    const repeats = shape.map(() => between(random, 1, 3));
    const narrow = shape.map((size) => oneOf(random, [1, size]));
    const forms: Readonly<Record<string, NodeSpecification>> = {
      Transpose: { operator, attributes: { perm: order }, inputs: [{ shape }] },
      Tile: { operator, inputs: [{ shape }, ints(...repeats)] },
      Expand: { operator, inputs: [{ shape: narrow }, ints(2, ...shape)] },
    };
    return { ...forms[operator]!, openBatch: isOpen(random) };
  });

  property("DepthToSpace and SpaceToDepth", (random) => {
    const blocksize = between(random, 1, 3);
    const mode = oneOf(random, ["DCR", "CRD"]);
    const [channels, height, width] = shapeOf(random, 3, 3) as [number, number, number];
    return random.integer(2) === 0
      ? {
          operator: "DepthToSpace",
          attributes: { blocksize, mode },
          inputs: [{ shape: [2, channels * blocksize ** 2, height, width] }],
          openBatch: isOpen(random),
        }
      : {
          operator: "SpaceToDepth",
          attributes: { blocksize },
          inputs: [{ shape: [2, channels, height * blocksize, width * blocksize] }],
          openBatch: isOpen(random),
        };
  });

  property("Gather and its relatives", (random) => {
    const shape = shapeOf(random, between(random, 1, 3)).map((size) => size + 1);
    const axis = random.integer(shape.length);
    const operator = oneOf(random, ["Gather", "GatherElements", "ScatterElements", "GatherND"]);
    const indexShape = operator === "Gather" ? shapeOf(random, random.integer(3), 3) : shape;
    const count = indexShape.reduce((product, size) => product * size, 1);
    const indices = Array.from({ length: count }, () => between(random, -shape[axis]!, shape[axis]! - 1));
    const constant: InputSpecification = { constant: tensor("int64", indexShape, indices) };
    const openBatch = isOpen(random);
    if (operator === "GatherND") {
      const tuples = Array.from({ length: 3 }, () => shape.slice(0, axis + 1).map((size) => random.integer(size)));
      const positions: InputSpecification = { constant: tensor("int64", [3, axis + 1], tuples.flat()) };
      return { operator, inputs: [{ shape }, positions], openBatch };
    }
    if (operator !== "ScatterElements")
      return { operator, attributes: { axis }, inputs: [{ shape }, constant], openBatch };
    return { operator, attributes: { axis, reduction: "add" }, inputs: [{ shape }, constant, { shape }], openBatch };
  });
});

describe("resizing", () => {
  property("Resize", (random) => {
    const mode = oneOf(random, ["nearest", "linear", "cubic"]);
    const spatial =
      mode === "cubic" ? [between(random, 2, 5), between(random, 2, 5)] : shapeOf(random, between(random, 1, 2), 5);
    const coordinates = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"];
    const targets = spatial.map((size) => oneOf(random, [size, 2 * size, 3 * size, between(random, 1, 9)]));
    return {
      operator: "Resize",
      attributes: {
        mode,
        coordinate_transformation_mode: oneOf(random, coordinates),
        nearest_mode: oneOf(random, ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"]),
        axes: spatial.map((_, axis) => axis + 2),
        exclude_outside: mode === "cubic" ? random.integer(2) : 0,
      },
      inputs: [{ shape: [1, 2, ...spatial] }, undefined, undefined, ints(...targets)],
      openBatch: isOpen(random),
    };
  });
});
