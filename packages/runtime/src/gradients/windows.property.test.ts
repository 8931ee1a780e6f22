import type { RandomStream } from "@dovetail/core";
import { describe } from "vitest";
import { between, isOpen, oneOf, property, shapeOf } from "./testing/draw.js";
import type { InputSpecification } from "./testing/finite-differences.js";

// Gradients against central differences, on random shapes and attributes.

interface DrawnWindow {
  readonly attributes: Record<string, readonly number[]>;
  readonly sizes: readonly number[];
}

/** A window of `rank` axes over sizes that it fits into. */
function drawWindow(
  random: RandomStream,
  rank: number,
  options: { readonly padsBelowKernel?: boolean } = {},
): DrawnWindow {
  const kernel = Array.from({ length: rank }, () => between(random, 1, 3));
  const dilations = kernel.map(() => between(random, 1, 2));
  const strides = kernel.map(() => between(random, 1, 3));
  const pads = [...kernel, ...kernel].map((size) =>
    options.padsBelowKernel ? random.integer(Math.max(1, Math.min(size, 2))) : between(random, 0, 2),
  );
  const sizes = kernel.map(
    (size, axis) => Math.max(1, (size - 1) * dilations[axis]! + 1 - pads[axis]!) + random.integer(5),
  );
  return { attributes: { kernel_shape: kernel, dilations, strides, pads }, sizes };
}

describe("convolution", () => {
  property("Conv", (random) => {
    const rank = between(random, 1, 3);
    const { attributes, sizes } = drawWindow(random, rank);
    const group = between(random, 1, 3);
    const perGroup = between(random, 1, 2);
    const outputs = group * between(random, 1, 2);
    return {
      operator: "Conv",
      attributes: { ...attributes, group },
      inputs: [
        { shape: [between(random, 1, 2), group * perGroup, ...sizes] },
        { shape: [outputs, perGroup, ...attributes.kernel_shape!] },
        random.integer(2) === 0 ? undefined : { shape: [outputs] },
      ],
      openBatch: isOpen(random),
    };
  });

  property("ConvTranspose", (random) => {
    const rank = between(random, 1, 2);
    const kernel = Array.from({ length: rank }, () => between(random, 2, 4));
    const strides = kernel.map(() => between(random, 1, 3));
    const group = between(random, 1, 2);
    const perGroup = between(random, 1, 2);
    return {
      operator: "ConvTranspose",
      attributes: {
        kernel_shape: kernel,
        strides,
        dilations: kernel.map(() => between(random, 1, 2)),
        pads: [...kernel, ...kernel].map(() => random.integer(2)),
        output_padding: strides.map((stride) => random.integer(stride)),
        group,
      },
      inputs: [
        { shape: [between(random, 1, 2), group * 2, ...kernel.map(() => between(random, 2, 4))] },
        { shape: [group * 2, perGroup, ...kernel] },
        { shape: [group * perGroup] },
      ],
      openBatch: isOpen(random),
    };
  });

  property("automatic padding", (random) => {
    const operator = oneOf(random, ["Conv", "ConvTranspose", "MaxPool", "AveragePool"]);
    const isConvolution = operator.startsWith("Conv");
    const kernel = [between(random, 2, 3), between(random, 2, 3)];
    const strides = kernel.map((size) => between(random, 1, size));
    const image: InputSpecification = {
      shape: [1, 2, between(random, 4, 7), between(random, 4, 7)],
      sampling: "separated",
    };
    return {
      operator,
      attributes: { kernel_shape: kernel, strides, auto_pad: oneOf(random, ["SAME_UPPER", "SAME_LOWER", "VALID"]) },
      inputs: isConvolution ? [image, { shape: [2, 2, ...kernel] }] : [image],
      openBatch: isOpen(random),
    };
  });
});

describe("pooling", () => {
  /**
   * Rounding up where no window would begin in the padding at the end: there ONNX Runtime's kernels leave it out and its
   * shape inference does not, so that it refuses the graph.
   */
  const roundsUp = (
    random: RandomStream,
    { kernel_shape, dilations, strides, pads }: DrawnWindow["attributes"],
  ): number => {
    const isSafe = kernel_shape!.every((size, axis) => {
      const extent = (size - 1) * (dilations?.[axis] ?? 1) + 1;
      return strides![axis]! + pads![kernel_shape!.length + axis]! <= extent;
    });
    return isSafe ? random.integer(2) : 0;
  };

  property("MaxPool", (random) => {
    const { attributes, sizes } = drawWindow(random, between(random, 1, 2), { padsBelowKernel: true });
    return {
      operator: "MaxPool",
      attributes: { ...attributes, ceil_mode: roundsUp(random, attributes) },
      inputs: [{ shape: [between(random, 1, 2), 2, ...sizes], sampling: "separated" }],
      openBatch: isOpen(random),
    };
  });

  property("AveragePool", (random) => {
    const { attributes, sizes } = drawWindow(random, between(random, 1, 3), { padsBelowKernel: true });
    const { dilations, ...window } = attributes;
    return {
      operator: "AveragePool",
      attributes: { ...window, ceil_mode: roundsUp(random, window), count_include_pad: random.integer(2) },
      // Dilated windows are not in operator set 18: the sizes fit without as well.
      inputs: [{ shape: [between(random, 1, 2), 2, ...sizes] }],
      openBatch: isOpen(random),
    };
  });

  property("GlobalAveragePool and GlobalMaxPool", (random) => ({
    operator: oneOf(random, ["GlobalAveragePool", "GlobalMaxPool"]),
    inputs: [{ shape: shapeOf(random, between(random, 3, 5), 3), sampling: "separated" }],
    openBatch: isOpen(random),
  }));
});
