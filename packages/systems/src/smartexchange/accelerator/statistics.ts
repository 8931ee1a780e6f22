import {
  halfNormalWords,
  type LayerStatistics,
  type Problem,
  type PublishedNetwork,
  uniformWords,
} from "@dovetail/hardware";
import type { MachineName } from "./machines.js";
import { measuredActivations } from "./measured-activations.js";

// What is known, and what is assumed, of the values of seven networks of which we have the layers' sizes alone.

export const studyNetworks = [
  "VGG-11",
  "ResNet-50",
  "MobileNetV2",
  "EfficientNet-B0",
  "VGG-19",
  "ResNet-164",
  "DeepLabV3+",
] as const satisfies PublishedNetwork[];
export type StudyNetwork = (typeof studyNetworks)[number];

/**
 * Part of the weights' rows that SmartExchange zeroes, one figure for all layers of a network: recalled from the paper's
 * tables, checked against nothing; 0 where none is recalled.
 */
export const zeroRows: Readonly<Record<StudyNetwork, number>> = {
  "VGG-11": 0.86,
  "ResNet-50": 0.45,
  MobileNetV2: 0,
  "EfficientNet-B0": 0,
  "VGG-19": 0.928,
  "ResNet-164": 0.376,
  "DeepLabV3+": 0,
};

/** Pixels: every code as likely as another. */
const pixels = uniformWords(8, false);

/**
 * Values without a ReLU before them: normal, in codes of 8 bit with sign that the largest of some hundred thousand fills
 * (127 codes at 4.3 deviations), so that 1.3 % round to zero.
 */
const unrectified = halfNormalWords({ bitWidth: 8, deviation: 127 / 4.3, zeroFraction: 0.013 });

type Activations = "pixels" | "rectified" | "unrectified";

/**
 * What enters a layer. The first sees pixels. EfficientNet's activation (swish) has no zeros, nor have the linear ends of
 * MobileNetV2's blocks, which its layers of more outputs than inputs read.
 */
function activationsOf(network: StudyNetwork, layers: readonly Problem[], index: number): Activations {
  const { C = 1, M = 1, R = 1, G = 1 } = layers[index]!.dimensions;
  if (index === 0) return "pixels";
  if (network === "EfficientNet-B0") return "unrectified";
  const isExpansion = network === "MobileNetV2" && R === 1 && G === 1 && M > C && index < layers.length - 1;
  return isExpansion ? "unrectified" : "rectified";
}

/** Statistics of a layer as a machine meets it: its zeros lie in rows for SmartExchange, the baselines see as many zeros. */
export function statisticsFor(
  machine: MachineName,
  network: StudyNetwork,
  layers: readonly Problem[],
  index: number,
): LayerStatistics {
  const zeros = zeroRows[network];
  const inputs = activationsOf(network, layers, index);
  const isLast = index + 1 === layers.length;
  const outputs = isLast ? "unrectified" : activationsOf(network, layers, index + 1);
  const words = { pixels, unrectified, rectified: measuredActivations.words };
  // A kernel of one weight meets three rows, of neighbouring channels: that all of them are zero was not measured.
  const hasRows = (at: number): boolean => (layers[at]!.dimensions.S ?? 1) > 1;
  const rowsOf = (kind: Activations, at: number): number =>
    kind === "rectified" && hasRows(at) ? measuredActivations.zeroRowFraction : 0;
  return {
    weightZeroFraction: zeros,
    inputWords: words[inputs],
    inputZeroFraction: words[inputs].zeroFraction,
    outputZeroFraction: words[outputs].zeroFraction,
    ...(machine === "SmartExchange" && {
      structured: { keptRowFraction: 1 - zeros },
      inputZeroRowFraction: rowsOf(inputs, index),
      outputZeroRowFraction: isLast ? 0 : rowsOf(outputs, index + 1),
    }),
  };
}
