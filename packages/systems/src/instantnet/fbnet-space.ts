// FBNet's space for small images, of any number of stages and channels: 22 positions with 9 operators as published.
import type { Value } from "@dovetail/graph";
import {
  convBatchNorm,
  globalAveragePool,
  linear,
  type Network,
  NetworkBuilder,
  normalizePixels,
  type PixelOptions,
} from "@dovetail/models";
import { type FbnetShape, fbnetBlock, fbnetOperators } from "@dovetail/nasbench";

export interface FbnetSpaceOptions {
  readonly pixels?: PixelOptions | undefined;
  /** 10 by default. */
  readonly classCount?: number | undefined;
  /** 16 by default. */
  readonly stemChannels?: number | undefined;
  /** Positions of each stage; [1, 4, 4, 4, 4, 4, 1] by default. */
  readonly counts?: readonly number[] | undefined;
  /** Channels of each stage; [16, 24, 32, 64, 112, 184, 352] by default. */
  readonly channels?: readonly number[] | undefined;
  /** Stride of each stage's first position; [1, 1, 2, 2, 1, 2, 1] by default. */
  readonly strides?: readonly number[] | undefined;
  /** Channels of the last 1×1 convolution; 1504 by default. */
  readonly headerChannels?: number | undefined;
}

export interface FbnetSpace {
  readonly pixels: PixelOptions;
  readonly classCount: number;
  readonly stemChannels: number;
  readonly headerChannels: number;
  readonly positions: readonly FbnetShape[];
}

/** The macro-architecture. Without options it is the published one: 22 positions. */
export function fbnetSpace(options: FbnetSpaceOptions = {}): FbnetSpace {
  const { counts = [1, 4, 4, 4, 4, 4, 1], channels = [16, 24, 32, 64, 112, 184, 352], stemChannels = 16 } = options;
  const { strides = [1, 1, 2, 2, 1, 2, 1], headerChannels = 1504, classCount = 10, pixels = {} } = options;
  const positions: FbnetShape[] = [];
  let [inputChannels, inputSize] = [stemChannels, pixels.height ?? 32];
  for (const [stage, count] of counts.entries()) {
    for (let index = 0; index < count; index++) {
      const [outputChannels, stride] = [channels[stage]!, index === 0 ? strides[stage]! : 1];
      positions.push({ inputChannels, outputChannels, stride, inputSize });
      inputChannels = outputChannels;
      inputSize = Math.ceil(inputSize / stride);
    }
  }
  return { pixels, classCount, stemChannels, headerChannels, positions };
}

/** Names of the operators, in the order of their indices. */
export const operatorNames: readonly string[] = fbnetOperators.map(({ name }) => name);

/** Parameter of the supernet that holds the operators' shares, [positions, operators]; the search writes it. */
export const operatorShares = "operatorShares";

/** The network with one operator at each position. */
export function fbnetOf(space: FbnetSpace, choices: readonly number[], name = "fbnet"): Network {
  return buildNetwork(space, name, (n, x, shape, position) =>
    fbnetBlock(n, `block${position}`, x, shape, fbnetOperators[choices[position]!]!),
  );
}

/** All operators at every position; a position's output is the sum of their outputs by the shares. */
export function fbnetSupernet(space: FbnetSpace): Network {
  let shares: readonly Value[] = [];
  const rows = space.positions.length;
  const first = (n: NetworkBuilder): void => {
    const all = n.parameter(operatorShares, [rows, fbnetOperators.length], {
      role: "scale",
      trainable: false,
      initialization: { kind: "constant", value: 1 / fbnetOperators.length },
    });
    shares = n.g.split(n.g.reshape(all, [-1]), new Array<number>(rows * fbnetOperators.length).fill(1), 0);
  };
  const build: BuildPosition = (n, x, shape, position) => {
    const outputs = fbnetOperators.map((operator, index) => {
      const y = n.scope(`block${position}`, () => fbnetBlock(n, operator.name, x, shape, operator));
      return n.g.mul(y, shares[position * fbnetOperators.length + index]!);
    });
    return n.g.op("Sum", outputs, {});
  };
  return buildNetwork(space, "fbnet-supernet", build, first);
}

/** Multiply–accumulates of one image in each operator, [position][operator]. */
export function operatorMacs(space: FbnetSpace): readonly (readonly number[])[] {
  return space.positions.map(({ inputChannels, outputChannels, stride, inputSize }) => {
    const [inputPixels, outputPixels] = [inputSize ** 2, Math.ceil(inputSize / stride) ** 2];
    const changesShape = inputChannels !== outputChannels || stride !== 1;
    return fbnetOperators.map(({ kernel, expansion, groups }) => {
      if (kernel === 0) return changesShape ? inputChannels * outputChannels * outputPixels : 0;
      const hidden = inputChannels * expansion;
      const expand = (inputPixels * inputChannels * hidden) / groups;
      return expand + outputPixels * hidden * (kernel ** 2 + outputChannels / groups);
    });
  });
}

/** Of stem, header and classifier. */
export function fixedMacs({ pixels, stemChannels, headerChannels, classCount, positions }: FbnetSpace): number {
  const { mean, height = 32, width = 32 } = pixels;
  const last = positions.at(-1)!;
  const pixelsBehind = Math.ceil(last.inputSize / last.stride) ** 2;
  const stem = height * width * 9 * (mean?.length ?? 3) * stemChannels;
  return stem + pixelsBehind * last.outputChannels * headerChannels + headerChannels * classCount;
}

type BuildPosition = (n: NetworkBuilder, x: Value, shape: FbnetShape, position: number) => Value;

function buildNetwork(
  space: FbnetSpace,
  name: string,
  build: BuildPosition,
  first?: (n: NetworkBuilder) => void,
): Network {
  const n = new NetworkBuilder(name);
  const { mean, height = 32, width = 32 } = space.pixels;
  const image = n.imageInput(mean?.length ?? 3, height, width);
  first?.(n);
  let x = convBatchNorm(n, "stem", normalizePixels(n, image, space.pixels), {
    channels: space.stemChannels,
    kernel: 3,
  });
  space.positions.forEach((shape, position) => {
    x = build(n, x, shape, position);
  });
  x = convBatchNorm(n, "header", x, { channels: space.headerChannels, kernel: 1 });
  return n.build(linear(n, "classifier", globalAveragePool(n, x), { features: space.classCount }));
}
