import { type FusionArray, type FusionLayer, fusionBufferBits, fusionCost } from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, type GoldenDifference, judge, skip, startComparison } from "./result.js";

// Layer rows of Bit Fusion's simulator. Bounds and their reasons: docs/models/bounds.md, written before the comparison.

const CYCLE_BOUND = 0.01;
const OFF_CHIP_BOUND = 0.25;
const BUFFER_FACTOR = 2;

const count = z.number().nonnegative();
const size = z.int().positive();

const rowSchema = z.object({
  n: size,
  m: size,
  max_precision_bits: size,
  min_precision_bits: size,
  network: z.string(),
  layer: z.string(),
  cycles: count,
  memory_wait_cycles: count,
  wbuf_read: count,
  wbuf_write: count,
  obuf_read: count,
  obuf_write: count,
  ibuf_read: count,
  ibuf_write: count,
  dram_read: count,
  dram_write: count,
  bandwidth_bits_per_cycle: size,
  wbuf_size_bits: size,
  obuf_size_bits: size,
  ibuf_size_bits: size,
  batch_size: size,
});

type Row = z.infer<typeof rowSchema>;

const setSchema = z.object({ layers: z.array(rowSchema) });

type Shape = Omit<FusionLayer, "name" | "batch">;

/** The set `bitfusion_reference`: its layer rows. */
export function compareBitFusion(data: unknown): GoldenCase[] {
  return setSchema.parse(data).layers.map((row) => {
    const id = `${row.network}:${row.layer}:${row.n}x${row.m}:${row.bandwidth_bits_per_cycle}`;
    const shape = shapeOf(row);
    if (shape === undefined) return skip(id, "the row does not say the size of this layer");
    return judge(id, () => compareRow(row, { name: row.layer, batch: row.batch_size, ...shape }));
  });
}

function compareRow(row: Row, layer: FusionLayer): readonly GoldenDifference[] {
  const cost = fusionCost(layer, arrayOf(row));
  const comparison = startComparison();
  comparison.expectRelative("cycles", row.cycles, cost.latencyCycles, CYCLE_BOUND);
  const computing = row.cycles - row.memory_wait_cycles;
  comparison.expectRelative("cycles less waiting", computing, cost.computeCycles, CYCLE_BOUND);
  const offChip = cost.bits.offChipReads + cost.bits.offChipWrites;
  comparison.expectRelative("off-chip bits", row.dram_read + row.dram_write, offChip, OFF_CHIP_BOUND);
  const buffers = row.wbuf_read + row.wbuf_write + row.obuf_read + row.obuf_write + row.ibuf_read + row.ibuf_write;
  const found = fusionBufferBits(cost.bits);
  if (Math.max(found / buffers, buffers / found) > BUFFER_FACTOR) comparison.expect("buffer bits", buffers, found);
  return comparison.differences;
}

/** The columns of the buffers' sizes are headed bits; the simulator that wrote them holds bytes there. */
function arrayOf(row: Row): FusionArray {
  return {
    rows: row.n,
    columns: row.m,
    widestBits: row.max_precision_bits,
    narrowestBits: row.min_precision_bits,
    weightBufferBits: 8 * row.wbuf_size_bits,
    inputBufferBits: 8 * row.ibuf_size_bits,
    outputBufferBits: 8 * row.obuf_size_bits,
    offChipBitsPerCycle: row.bandwidth_bits_per_cycle,
  };
}

function shapeOf({ network, layer }: Row): Shape | undefined {
  const name = layer.split("/").at(-2) ?? layer;
  return network === "AlexNet" ? alexNet[name.replace(/_[ab]$/, "")] : resNet18(name);
}

const narrow = { activationBits: 4, weightBits: 4 };

/**
 * One of AlexNet's two towers at double width, and its linear layers: the program that made the rows asks for the WRPN
 * variant of every network (its sweep.py), not for the widths that the golden file lists beside them. The first layer's
 * windows are laid out as columns.
 */
const alexNet: Readonly<Record<string, Shape>> = {
  conv1: {
    inputChannels: 3,
    outputChannels: 96,
    kernelSize: 11,
    outputSize: 55,
    stride: 4,
    activationBits: 8,
    weightBits: 8,
    unrollsKernel: true,
  },
  conv2: { inputChannels: 96, outputChannels: 256, kernelSize: 5, outputSize: 27, stride: 1, ...narrow },
  conv3: { inputChannels: 512, outputChannels: 384, kernelSize: 3, outputSize: 13, stride: 1, ...narrow },
  conv4: { inputChannels: 384, outputChannels: 384, kernelSize: 3, outputSize: 13, stride: 1, ...narrow },
  conv5: { inputChannels: 384, outputChannels: 256, kernelSize: 3, outputSize: 13, stride: 1, ...narrow },
  fc1: { inputChannels: 18_432, outputChannels: 8192, kernelSize: 1, outputSize: 1, stride: 1, ...narrow },
  fc2: { inputChannels: 8192, outputChannels: 8192, kernelSize: 1, outputSize: 1, stride: 1, ...narrow },
  fc3: {
    inputChannels: 8192,
    outputChannels: 1000,
    kernelSize: 1,
    outputSize: 1,
    stride: 1,
    activationBits: 8,
    weightBits: 8,
  },
};

/** Channels and output sizes of ResNet-18's stages at double width. */
const stages: Readonly<Record<string, { readonly channels: number; readonly outputSize: number }>> = {
  2: { channels: 128, outputSize: 56 },
  3: { channels: 256, outputSize: 28 },
  4: { channels: 512, outputSize: 14 },
  5: { channels: 1024, outputSize: 7 },
};

/** Blocks of a 1×1 and a 3×3 convolution; the first 1×1 of stages 3 to 5 halves the image and doubles the channels. */
function resNet18(name: string): Shape | undefined {
  if (name.startsWith("conv1")) {
    const wide = { activationBits: 8, weightBits: 8, unrollsKernel: true };
    return { inputChannels: 3, outputChannels: 128, kernelSize: 7, outputSize: 112, stride: 2, ...wide };
  }
  const [, stage, block, part] = /^conv(\d)_(\d)_([ab])$/.exec(name) ?? [];
  const size = stages[stage ?? ""];
  if (size === undefined) return undefined;
  const { channels: outputChannels, outputSize } = size;
  const halves = part === "a" && block === "1" && stage !== "2";
  return {
    inputChannels: halves ? outputChannels / 2 : outputChannels,
    outputChannels,
    kernelSize: part === "a" ? 1 : 3,
    outputSize,
    stride: halves ? 2 : 1,
    ...narrow,
  };
}
