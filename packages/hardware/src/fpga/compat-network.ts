import { inputError } from "@dovetail/core";
import type { ChunkSpace, Parallelism } from "./design.js";
import type { FpgaLayer, FpgaLayerKind } from "./layer.js";

export type CompatDataset = "cifar" | "imagenet";

const channels = [16, 16, 24, 24, 24, 24, 32, 32, 32, 32, 64, 64, 64, 64, 112, 112, 112, 112, 192, 192, 192, 192, 352];
const stages = [1, 4, 4, 4, 4, 4, 1];
const outputSizes: Record<CompatDataset, readonly number[]> = {
  cifar: [32, 32, 16, 8, 8, 4, 4],
  imagenet: [112, 56, 28, 14, 14, 7, 7],
};

/**
 * Layers of an FBNet-like network as the published predictor counts them (seeds-hardware.md section 2.4): 22 positions,
 * each `k3_e1`, `k5_e6`, `k3_e1_g2`, … or `skip`; stem, header and classifier are left out, all three layers of a block
 * are charged at its output size with stride 1, and a skipped position takes no bit-width from the list.
 * Throws `bad_block` for a position that it cannot read.
 */
export function compatNetworkLayers(options: {
  readonly blocks: readonly string[];
  readonly bitWidths: readonly number[];
  readonly dataset: CompatDataset;
}): FpgaLayer[] {
  const sizes = stages.flatMap((count, stage) => Array<number>(count).fill(outputSizes[options.dataset][stage]!));
  if (options.blocks.length !== sizes.length) {
    throw inputError("bad_block", "wrong number of blocks", {
      expected: `${sizes.length}`,
      received: `${options.blocks.length}`,
    });
  }
  const layers: FpgaLayer[] = [];
  let used = 0;
  options.blocks.forEach((block, position) => {
    if (block === "skip") return;
    const parts = /^k([1-9])_e([1-9])(_g2)?$/.exec(block);
    const bitWidth = options.bitWidths[used++];
    if (parts === null || bitWidth === undefined) {
      const expected = "skip, or kK_eE or kK_eE_g2 with a bit-width";
      throw inputError("bad_block", "not a block", { path: ["blocks", position], expected, received: block });
    }
    const kernel = Number(parts[1]);
    const groups = parts[3] === undefined ? 1 : 2;
    const [input, output, size] = [channels[position]!, channels[position + 1]!, sizes[position]!];
    const wide = input * Number(parts[2]);
    const pointwise = (from: number, to: number, name: string): void => {
      for (let group = 0; group < groups; group++) {
        layers.push(convolution("standard", `${name}${group}`, from / groups, to / groups, size, 1, bitWidth));
      }
    };
    pointwise(input, wide, `block${position}.expand`);
    layers.push(convolution("depthwise", `block${position}.depthwise`, wide, wide, size, kernel, bitWidth));
    pointwise(wide, output, `block${position}.project`);
  });
  return layers;
}

function convolution(
  kind: FpgaLayerKind,
  name: string,
  inputChannels: number,
  outputChannels: number,
  size: number,
  kernel: number,
  bitWidth: number,
): FpgaLayer {
  const extents = { outputHeight: size, outputWidth: size, kernelHeight: kernel, kernelWidth: kernel, stride: 1 };
  return { name, kind, inputChannels, outputChannels, ...extents, bitWidth };
}

/** The published modes in their numbering, by kind of chunk. */
export const compatModes: Record<FpgaLayerKind, readonly Parallelism[]> = {
  standard: ["outputChannels", "channels", "rows"],
  depthwise: ["outputChannels", "rows"],
};

/** Least output size of the layers that go to the first chunk of their kind. */
export const compatThreshold: Record<CompatDataset, number> = { cifar: 16, imagenet: 28 };

/** The published choices for chunk 0 (large outputs) or 1. */
export function compatSpace(dataset: CompatDataset, kind: FpgaLayerKind, large: boolean): ChunkSpace {
  const extents = {
    cifar: large ? [16, 8, 4, 2, 1] : [4, 2, 1],
    imagenet: large ? [28, 14, 7, 2, 1] : [7, 2, 1],
  }[dataset];
  const widths = large ? [8, 4, 2, 1] : [32, 16, 8, 4, 2, 1];
  return {
    kind,
    parallelisms: compatModes[kind],
    rows: extents,
    columns: extents,
    outputChannels: widths,
    inputChannels: kind === "depthwise" ? [1] : widths,
  };
}
