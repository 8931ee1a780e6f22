// What the blocks of a fixed-point network read and give for an image, as the network computes them in float32.

import { type Tensor, tensor, tensorFromData } from "@dovetail/graph";
import { type Network, predictionGraph } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import { blockWidths, codesOf, type IntegerBlock } from "./integer-block.js";
import type { IntegerImage } from "./run-integer-block.js";

export interface BlockActivationOptions {
  readonly runtime: Runtime;
  /** In fixed point with baked shift weights, as `integerBlocks` takes it. */
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly blocks: readonly IntegerBlock[];
  /** One image, [channels, height, width]. */
  readonly pixels: ArrayLike<number>;
}

/** Inputs and outputs of the blocks for one image. */
export async function blockActivations({
  runtime,
  network,
  weights,
  blocks,
  pixels,
}: BlockActivationOptions): Promise<readonly { readonly input: Tensor; readonly output: Tensor }[]> {
  const graph = predictionGraph(network);
  const places = blocks.map(({ name }) => {
    const shift = graph.nodes.find(({ inputs }) => inputs[1] === `${name}.conv.shift.weight`)!;
    return { input: shift.inputs[0]!, output: `${name.replaceAll(".", "/")}/Relu:out` };
  });
  const names = [...new Set(places.flatMap(({ input, output }) => [input, output]))];
  const outputs = names.map((name) => ({ name, type: graph.types.get(name)! }));
  const segment = await runtime.compile({ ...graph, outputs }, { state: runtime.createState(weights) });
  const scalars = network.scalars.map(({ name, value }) => [name, tensor("float32", [], [value])] as const);
  const shape = (graph.types.get(network.image)!.shape as readonly (number | string)[]).slice(1) as readonly number[];
  const values = await segment.run({
    ...Object.fromEntries(scalars),
    [network.image]: tensorFromData("float32", [1, ...shape], Float32Array.from(pixels)),
  });
  await segment.release();
  return places.map(({ input, output }) => ({ input: values[input]!, output: values[output]! }));
}

/** The blocks' inputs for one image as integers of their units. */
export async function blockInputs(options: BlockActivationOptions): Promise<readonly IntegerImage[]> {
  const activations = await blockActivations(options);
  return activations.map(({ input }, index) => integersOf(input, options.blocks[index]!.inputUnit));
}

/** A value of one image as integers of a unit. */
export function integersOf(value: Tensor, unit: number): IntegerImage {
  const [, channels, height, width] = value.dimensions as readonly [number, number, number, number];
  return { channels, height, width, values: codesOf(value, unit, blockWidths.shiftInput) };
}
