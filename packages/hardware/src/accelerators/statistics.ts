import type { StructuredAnnotation } from "@dovetail/graph";
import {
  countedStructure,
  type StructuredOptions,
  type StructuredWeights,
  structuredWeights,
} from "../precision/structured-weights.js";
import { uniformWords, type WordStatistics } from "../precision/words.js";
import type { Layer } from "../workload/extract/extract.js";
import { dataSpaceWords, type Problem } from "../workload/problem.js";

/** What is known of a layer's values. What is absent is taken to be dense and uniform, which no machine gains from. */
export interface LayerStatistics {
  /** Part of the words that are zero. */
  readonly weightZeroFraction?: number | undefined;
  readonly inputZeroFraction?: number | undefined;
  readonly outputZeroFraction?: number | undefined;
  /** Part of the rows of a feature map (all columns of a channel at one height) that are all zero. */
  readonly inputZeroRowFraction?: number | undefined;
  readonly outputZeroRowFraction?: number | undefined;
  /** Terms of the words, for units that skip zero bits. */
  readonly inputWords?: WordStatistics | undefined;
  readonly weightWords?: WordStatistics | undefined;
  /** The weights are in SmartExchange's form: as counted, or as such a layer has it with so many rows kept. */
  readonly structured?: StructuredOptions | StructuredAnnotation | undefined;
  /** Part of the weights' rows that are zero in every filter of those that work in step on the machine, if counted. */
  readonly zeroRowsInStepFraction?: number | undefined;
}

/** Words of which every code is equally likely, for a layer of which nothing is known. */
export function assumedWords(bits: number): WordStatistics {
  return uniformWords(Math.min(bits, 16), false);
}

/** What the annotations of a network's tensors say of a layer: parts that are zero, and the weights' form. */
export function annotatedStatistics({
  weights,
  inputs,
  outputs,
}: Pick<Layer, "weights" | "inputs" | "outputs">): LayerStatistics {
  return {
    weightZeroFraction: weights.annotation?.sparsityFraction,
    inputZeroFraction: inputs.annotation?.sparsityFraction,
    outputZeroFraction: outputs.annotation?.sparsityFraction,
    ...(weights.annotation?.structured !== undefined && { structured: weights.annotation.structured }),
  };
}

/**
 * SmartExchange's form of a layer that has weights of `bits` without it; undefined where the weights are not in it, or take
 * no more bits as they are.
 */
export function structuredOf(
  layer: Problem,
  bits: number,
  { structured }: LayerStatistics,
): StructuredWeights | undefined {
  if (structured === undefined) return undefined;
  const form =
    "bases" in structured ? countedStructure(structured, weightCount(layer)) : assumedForm(layer, structured);
  return form.bitsPerWeight < bits ? form : undefined;
}

/** Part of the weights' rows that are zero, where the weights are in SmartExchange's form. */
export function zeroRowFraction({ structured }: LayerStatistics): number | undefined {
  if (structured === undefined) return undefined;
  return 1 - ("bases" in structured ? structured.keptRows / structured.rows : structured.keptRowFraction);
}

function weightCount(layer: Problem): number {
  const weights = layer.dataSpaces.find(({ name }) => name === "Weights");
  return weights === undefined ? 1 : dataSpaceWords(layer, weights);
}

function assumedForm(layer: Problem, options: StructuredOptions): StructuredWeights {
  const size = (dimension: string): number => layer.dimensions[dimension] ?? 1;
  const shape = {
    outputChannels: size("M") * size("G"),
    inputChannels: size("C"),
    kernelHeight: size("R"),
    kernelWidth: size("S"),
  };
  return structuredWeights(shape, options);
}
