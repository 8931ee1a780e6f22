// Static networks that cost as many bit-operations as a dynamic one.

import type { Network } from "@dovetail/models";
import { methodOf } from "./methods.js";
import { prepareTraining } from "./prepare.js";

export interface StaticBits {
  readonly weightBits: number;
  readonly activationBits: number;
  readonly gradientBits: number;
}

const weightBits = 4;
const activationChoices = [2, 3, 4, 5, 6, 8];
const gradientChoices = [4, 5, 6, 7, 8, 10, 12];

/**
 * Static precisions of the blocks, 4-bit weights, stem and shortcuts at 8 bits, by how near their float32-equivalent
 * multiply–accumulates an image (three products) come to these; nearest first.
 */
export function equalStatics(network: Network, bitMacsPerImage: number): readonly StaticBits[] {
  const candidates = activationChoices.flatMap((activationBits) =>
    gradientChoices.map((gradientBits) => ({ weightBits, activationBits, gradientBits })),
  );
  const distance = (bits: StaticBits): number => Math.abs(bitMacsOf(network, bits) - bitMacsPerImage);
  return candidates
    .map((bits) => ({ bits, distance: distance(bits) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ bits }) => bits);
}

/** Float32-equivalent multiply–accumulates of one image in a static training with these bits in the blocks. */
export function bitMacsOf(network: Network, bits: StaticBits): number {
  const { controller } = prepareTraining(network, methodOf({ kind: "static-blocks", ...bits }), {
    batchSize: 1,
    steps: 1,
  });
  controller.observe({ step: 0, loss: 0, values: {} });
  return controller.bits().total;
}
