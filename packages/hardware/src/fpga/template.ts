import type { ChunkSpace } from "./design.js";
import { type FpgaLayer, type FpgaLayerKind, layerBitWidth } from "./layer.js";
import type { ChunkModel } from "./model.js";

/** A pipeline of sub-accelerators on one device: cost model, design spaces, and how layers are dealt to chunks. */
export interface FpgaTemplate {
  readonly model: ChunkModel;
  /** Design space of the chunk for one kind and for large or small outputs. */
  space(kind: FpgaLayerKind, large: boolean): ChunkSpace;
  /**
   * Least output size (larger of height and width) of the layers that go to the "large" chunk of their kind; `best`
   * lets the solver choose among the sizes that occur.
   */
  readonly splitSize: number | "best";
  readonly clockHz: number;
}

/** A sub-accelerator with the layers that it runs, one after another. */
export interface Chunk {
  /** `a0q8`, `a1q8`, `dwa0q8`, `dwa1q8`, …: kind, large (0) or small (1) outputs, bit-width. */
  readonly name: string;
  readonly kind: FpgaLayerKind;
  readonly bitWidth: number;
  readonly space: ChunkSpace;
  /** Positions in the list of layers. */
  readonly layerIndices: readonly number[];
  readonly layers: readonly FpgaLayer[];
}

/** Larger side of a layer's output. */
export function outputSize(layer: FpgaLayer): number {
  return Math.max(layer.outputHeight, layer.outputWidth);
}

/**
 * Deals layers to chunks by bit-width, kind and output size (at least `splitSize`: chunk 0), in order of first use.
 * Chunks without layers do not exist.
 */
export function dealLayers(
  template: Pick<FpgaTemplate, "space">,
  layers: readonly FpgaLayer[],
  splitSize: number,
): Chunk[] {
  const groups = new Map<string, { large: boolean; indices: number[] }>();
  layers.forEach((layer, index) => {
    const large = outputSize(layer) >= splitSize;
    const name = `${layer.kind === "depthwise" ? "dw" : ""}a${large ? 0 : 1}q${layerBitWidth(layer)}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { large, indices: [index] });
    else group.indices.push(index);
  });
  return [...groups].map(([name, { large, indices }]) => {
    const first = layers[indices[0]!]!;
    return {
      name,
      kind: first.kind,
      bitWidth: layerBitWidth(first),
      space: template.space(first.kind, large),
      layerIndices: indices,
      layers: indices.map((index) => layers[index]!),
    };
  });
}

/** The split sizes that lead to different dealings of these layers, largest first. */
export function splitSizes(template: Pick<FpgaTemplate, "splitSize">, layers: readonly FpgaLayer[]): number[] {
  if (template.splitSize !== "best") return [template.splitSize];
  return [...new Set(layers.map(outputSize))].sort((a, b) => b - a);
}
