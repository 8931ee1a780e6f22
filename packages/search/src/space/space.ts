import type { RandomStream } from "@dovetail/core";
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
import { type OperatorChoice, operatorChoices, type PositionShape } from "./operators.js";

/** A space of networks: a fixed stem and classifier, and between them positions that each take one of the operators. */
export interface SearchSpace {
  readonly name: string;
  readonly pixels: PixelOptions;
  readonly classCount: number;
  readonly stemChannels: number;
  readonly positions: readonly (PositionShape & { readonly name: string })[];
  readonly operators: readonly OperatorChoice[];
}

export interface SpaceOptions {
  readonly pixels?: PixelOptions | undefined;
  readonly classCount?: number | undefined;
  /** Channels of the three stages; [16, 32, 64] by default. The stem has those of the first. */
  readonly widths?: readonly number[] | undefined;
  /** Positions of each stage; [2, 3, 3] by default. */
  readonly depths?: readonly number[] | undefined;
  /** Choices at every position; `operatorChoices` by default. */
  readonly operators?: readonly OperatorChoice[] | undefined;
}

/**
 * FBNet's idea (arXiv 1812.03443) scaled to small images: three stages as in the ResNet family for CIFAR (32×32, 16×16
 * and 8×8 for 32×32 images), the first position of the second and third with stride 2. ResNet-8 is a point of it.
 */
export function smallImageSpace(options: SpaceOptions = {}): SearchSpace {
  const { widths = [16, 32, 64], depths = [2, 3, 3], classCount = 10, operators = operatorChoices } = options;
  const positions = widths.flatMap((channels, stage) =>
    Array.from({ length: depths[stage]! }, (_, index) => ({
      name: `stage${stage + 1}.${index}`,
      channels,
      stride: stage > 0 && index === 0 ? 2 : 1,
    })),
  );
  return {
    name: "small-image",
    pixels: options.pixels ?? {},
    classCount,
    stemChannels: widths[0]!,
    positions,
    operators,
  };
}

/** From the image (declared, raw values 0–255) to the first position's input. */
export function buildStem(n: NetworkBuilder, space: SearchSpace, image: Value): Value {
  return convBatchNorm(n, "stem", normalizePixels(n, image, space.pixels), { channels: space.stemChannels, kernel: 3 });
}

/** From the last position's output to the logits. */
export function buildHead(n: NetworkBuilder, space: SearchSpace, x: Value): Value {
  return linear(n, "classifier", globalAveragePool(n, x), { features: space.classCount });
}

/** The network with one operator (an index) at each position. */
export function networkOf(space: SearchSpace, choices: readonly number[], name: string): Network {
  const n = new NetworkBuilder(name);
  const { mean, height = 32, width = 32 } = space.pixels;
  let x = buildStem(n, space, n.imageInput(mean?.length ?? 3, height, width));
  space.positions.forEach((position, index) => {
    const operator = space.operators[choices[index]!]!;
    x = operator.build(n, `${position.name}.${operator.name}`, x, position);
  });
  return n.build(buildHead(n, space, x));
}

/** Operators drawn uniformly for all positions. */
export function drawUniformly(space: SearchSpace, random: RandomStream): number[] {
  return space.positions.map(() => random.integer(space.operators.length));
}
