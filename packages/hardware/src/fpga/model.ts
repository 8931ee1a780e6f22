import type { ChunkDesign, ChunkSpace } from "./design.js";
import type { FpgaLayer, FpgaLayerKind } from "./layer.js";

/** What a chunk's memories depend on besides its design: the kernels of the layers that it runs. */
export interface ChunkFootprint {
  readonly kind: FpgaLayerKind;
  readonly bitWidth: number;
  readonly kernels: readonly KernelShape[];
}

export interface KernelShape {
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
}

/** Multiplier slices and 18-Kb memory blocks. */
export interface FpgaResources {
  readonly dsp: number;
  readonly bram: number;
}

/** Cycles and resources of one chunk. The layer's kind and the space's kind agree. */
export interface ChunkModel {
  readonly name: string;
  /** Cycles that one image's pass through the layer takes on the design. */
  layerCycles(layer: FpgaLayer, design: ChunkDesign): number;
  /** Resources of a chunk that runs layers with these kernels. */
  resources(footprint: ChunkFootprint, design: ChunkDesign): FpgaResources;
  /** The space without designs that another design of it equals or beats on every layer in cycles, DSP and BRAM. */
  candidates(space: ChunkSpace): readonly ChunkDesign[];
}
