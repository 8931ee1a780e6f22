// In which memory order each value is there, and the conversions between orders, each made once and only when asked for.
//
// plain:   [N, C, H, W].
// blocked: [N, C/b, H, W, b], C filled up with zeros to a multiple of the block size b; ONNX Runtime sees [N, C', H, W].
//          Everything that is kept blocked keeps the filling at zero.
// open:    a blocked convolution that has not been added yet, so that a sum and an activation can still join it.
// planes:  the pixels of each remainder (y mod s, x mod s) by themselves, blocked: what the gradient of a strided
//          convolution gives. An absent plane is zero.

import { internalError } from "@dovetail/core";
import type { AttributeInput, Graph } from "@dovetail/graph";
import type { Emitter } from "./emitter.js";

/** Sizes of a batch of images in the blocked layout. */
export interface ImageShape {
  readonly batch: number;
  readonly channels: number;
  /** `channels` rounded up to whole blocks. */
  readonly paddedChannels: number;
  readonly height: number;
  readonly width: number;
}

/** Activation inside a blocked convolution. */
export interface Activation {
  readonly activation: "Relu" | "Clip" | "LeakyRelu" | "HardSigmoid";
  readonly activation_params?: AttributeInput;
}

export interface OpenConvolution {
  /** Input, filter and, or an empty string, bias. */
  readonly inputs: readonly [string, string, string];
  readonly attributes: Readonly<Record<string, AttributeInput>>;
  readonly sum?: string | undefined;
}

export interface Planes {
  readonly stride: number;
  /** Row-major over the remainders, `stride`² entries. */
  readonly planes: readonly (string | undefined)[];
}

interface ValueForms {
  plain?: string;
  blocked?: string;
  open?: OpenConvolution;
  planes?: Planes;
}

export interface Forms {
  readonly blockSize: number;
  /** The value's sizes if it is a float32 batch of images whose channels fill their blocks well enough. */
  imageShape(name: string): ImageShape | undefined;
  /** Number of uses of a value of the original graph that are still to come, as a graph output too. */
  usesLeft(name: string): number;
  /** Takes note that a node's rule is done. */
  used(names: readonly string[]): void;
  /** True when the value has been made, in whatever order. */
  has(name: string): boolean;
  /** True when the value has not been made in plain order, or not only. */
  isBlocked(name: string): boolean;
  plain(name: string): string;
  blocked(name: string): string;
  open(name: string): OpenConvolution | undefined;
  planes(name: string): Planes | undefined;
  setPlain(name: string, lowered: string): void;
  setBlocked(name: string, lowered: string): void;
  setOpen(name: string, open: OpenConvolution): void;
  setPlanes(name: string, planes: Planes): void;
}

/** Blocks may be filled up with zeros as long as this share of them or more is used. */
const leastUsedShare = 0.6;

export const roundUp = (count: number, blockSize: number): number => Math.ceil(count / blockSize) * blockSize;

/** True when channels in whole blocks waste little enough. */
export const fillsBlocks = (channels: number, blockSize: number): boolean =>
  channels / roundUp(channels, blockSize) >= leastUsedShare;

export function createForms(graph: Graph, emitter: Emitter, blockSize: number): Forms {
  const forms = new Map<string, ValueForms>();
  const uses = countUses(graph);
  const of = (name: string): ValueForms => {
    const known = forms.get(name);
    if (known) return known;
    throw internalError("unknown_value", `lowering of graph "${graph.name}": value "${name}" has not been made`);
  };
  const define = (name: string, form: ValueForms): void => {
    forms.set(name, { ...forms.get(name), ...form });
  };
  const shapeOf = (name: string): ImageShape => imageShapeOf(graph, name, blockSize)!;

  const self: Forms = {
    blockSize,
    imageShape: (name) => {
      const shape = imageShapeOf(graph, name, blockSize);
      return shape && fillsBlocks(shape.channels, blockSize) ? shape : undefined;
    },
    usesLeft: (name) => uses.get(name) ?? 0,
    used: (names) => {
      for (const name of names) uses.set(name, (uses.get(name) ?? 0) - 1);
    },
    has: (name) => forms.has(name),
    isBlocked: (name) => {
      const { blocked, open, planes } = of(name);
      return blocked !== undefined || open !== undefined || planes !== undefined;
    },
    plain: (name) => {
      const form = of(name);
      form.plain ??= toPlain(emitter, self.blocked(name), shapeOf(name));
      return form.plain;
    },
    blocked: (name) => {
      const form = of(name);
      form.blocked ??= form.open
        ? closeConvolution(emitter, form.open)
        : form.planes
          ? interleave(emitter, form.planes, shapeOf(name), blockSize)
          : toBlocked(emitter, form.plain!, shapeOf(name));
      return form.blocked;
    },
    open: (name) => {
      const { open, blocked } = of(name);
      return blocked === undefined ? open : undefined;
    },
    planes: (name) => of(name).planes,
    setPlain: (name, plain) => define(name, { plain }),
    setBlocked: (name, blocked) => define(name, { blocked }),
    setOpen: (name, open) => define(name, { open }),
    setPlanes: (name, planes) => define(name, { planes }),
  };
  return self;
}

function countUses(graph: Graph): Map<string, number> {
  const uses = new Map<string, number>();
  const used = [...graph.nodes.flatMap(({ inputs }) => inputs), ...graph.outputs.map(({ name }) => name)];
  for (const name of used) uses.set(name, (uses.get(name) ?? 0) + 1);
  return uses;
}

function imageShapeOf(graph: Graph, name: string, blockSize: number): ImageShape | undefined {
  const type = graph.types.get(name);
  if (type?.elementType !== "float32" || type.shape?.length !== 4) return undefined;
  const [batch, channels, height, width] = type.shape;
  if (typeof batch !== "number" || typeof channels !== "number") return undefined;
  if (typeof height !== "number" || typeof width !== "number") return undefined;
  if (batch * channels * height * width === 0) return undefined;
  return { batch, channels, paddedChannels: roundUp(channels, blockSize), height, width };
}

/** Adds an open convolution. */
export function closeConvolution(
  emitter: Emitter,
  { inputs, attributes, sum }: OpenConvolution,
  activation?: Activation,
): string {
  const all = sum === undefined ? trimmed(inputs) : [...inputs, sum];
  return emitter.blockedOp("Conv", all, { ...attributes, ...activation });
}

const trimmed = (inputs: readonly string[]): readonly string[] => (inputs.at(-1) === "" ? inputs.slice(0, -1) : inputs);

/** One pixel of whole blocks has the same memory order in both layouts. */
const isSameInBoth = ({ channels, paddedChannels, height, width }: ImageShape): boolean =>
  channels === paddedChannels && height * width === 1;

function toPlain(emitter: Emitter, blocked: string, shape: ImageShape): string {
  if (isSameInBoth(shape)) return blocked;
  return emitter.blockedOp("ReorderOutput", [blocked], { channels: shape.channels });
}

function toBlocked(emitter: Emitter, plain: string, shape: ImageShape): string {
  if (isSameInBoth(shape)) return plain;
  const { channels, paddedChannels } = shape;
  // ReorderInput takes multiples of 4 only, and fills up with zeros by itself.
  const ready =
    channels % 4 === 0
      ? plain
      : emitter.op("Pad", [plain, emitter.int64s([0, 0, 0, 0, 0, paddedChannels - channels, 0, 0])]);
  return emitter.blockedOp("ReorderInput", [ready]);
}

/** Puts the planes' pixels back into their places: neighbours in a row first, then the rows. */
function interleave(emitter: Emitter, { stride, planes }: Planes, shape: ImageShape, blockSize: number): string {
  const { batch, paddedChannels, height, width } = shape;
  const rows = ((batch * paddedChannels) / blockSize) * (height / stride);
  const some = planes.find((plane) => plane !== undefined)!;
  let zeros: string | undefined;
  const rowsOfPixels = Array.from({ length: stride }, (_, y) => {
    const columns = planes.slice(y * stride, (y + 1) * stride).map((plane) => {
      zeros ??= plane === undefined ? emitter.op("Sub", [some, some]) : undefined;
      return emitter.reshape(plane ?? zeros!, [(rows * width) / stride, blockSize]);
    });
    return emitter.reshape(emitter.op("Concat", columns, { axis: 1 }), [rows, width * blockSize]);
  });
  return emitter.reshape(emitter.op("Concat", rowsOfPixels, { axis: 1 }), [batch, paddedChannels, height, width]);
}
