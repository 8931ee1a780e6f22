import type { StructuredOptions } from "../precision/structured-weights.js";
import { uniformWords, type WordStatistics } from "../precision/words.js";
import type { Layer } from "../workload/extract/extract.js";

/** What is known of a layer's values. What is absent is taken to be dense and uniform, which no machine gains from. */
export interface LayerStatistics {
  /** Part of the words that are zero. */
  readonly weightZeroFraction?: number | undefined;
  readonly inputZeroFraction?: number | undefined;
  readonly outputZeroFraction?: number | undefined;
  /** Terms of the words, for units that skip zero bits. */
  readonly inputWords?: WordStatistics | undefined;
  readonly weightWords?: WordStatistics | undefined;
  /** The weights are in SmartExchange's form. */
  readonly structured?: StructuredOptions | undefined;
}

/** Words of which every code is equally likely, for a layer of which nothing is known. */
export function assumedWords(bits: number): WordStatistics {
  return uniformWords(Math.min(bits, 16), false);
}

/** What the annotations of a network's tensors say of a layer: the parts that are zero. */
export function annotatedStatistics(layer: Pick<Layer, "weights" | "inputs" | "outputs">): LayerStatistics {
  return {
    weightZeroFraction: layer.weights.annotation?.sparsityFraction,
    inputZeroFraction: layer.inputs.annotation?.sparsityFraction,
    outputZeroFraction: layer.outputs.annotation?.sparsityFraction,
  };
}
