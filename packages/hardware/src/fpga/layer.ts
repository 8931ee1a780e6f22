import { inputError } from "@dovetail/core";

/** Kinds of layer that the template has sub-accelerators for. Linear layers are 1×1 convolutions on one pixel. */
export type FpgaLayerKind = "standard" | "depthwise";

/** A convolution as the FPGA template sees it. */
export interface FpgaLayer {
  readonly name: string;
  readonly kind: FpgaLayerKind;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly stride: number;
  /** Groups of a standard convolution; depth-wise layers leave it out. Default 1. */
  readonly groups?: number | undefined;
  /** Width of weights and activations, 1 to 16. Default 8. */
  readonly bitWidth?: number | undefined;
}

/** Width of weights and activations of layers that name none. */
export const defaultBitWidth = 8;

/** Bits of a layer's weights and activations. */
export function layerBitWidth(layer: FpgaLayer): number {
  return layer.bitWidth ?? defaultBitWidth;
}

/** Equal for layers that cost the same on every design: everything but the name. */
export function layerKey(layer: FpgaLayer): string {
  const { kind, inputChannels, outputChannels, outputHeight, outputWidth, kernelHeight, kernelWidth, stride } = layer;
  const sizes = `${inputChannels},${outputChannels},${outputHeight},${outputWidth}`;
  return `${kind}:${sizes},${kernelHeight},${kernelWidth},${stride},${layer.groups ?? 1},${layerBitWidth(layer)}`;
}

/** Throws `bad_fpga_layer` where an extent is no positive integer, or groups and widths make no sense. */
export function checkLayer(layer: FpgaLayer): void {
  const { inputChannels, outputChannels, outputHeight, outputWidth, kernelHeight, kernelWidth, stride } = layer;
  const groups = layer.groups ?? 1;
  const extents = {
    inputChannels,
    outputChannels,
    outputHeight,
    outputWidth,
    kernelHeight,
    kernelWidth,
    stride,
    groups,
  };
  const refuse = (field: string, expected: string, received: unknown): never => {
    const details = { path: [layer.name, field], expected, received: String(received) };
    throw inputError("bad_fpga_layer", "the layer cannot be put on the template", details);
  };
  for (const [field, value] of Object.entries(extents)) {
    if (!(Number.isInteger(value) && value >= 1)) refuse(field, "a positive integer", value);
  }
  if (layer.kind === "depthwise" && groups !== 1) refuse("groups", "none on a depth-wise layer", groups);
  if (inputChannels % groups !== 0 || outputChannels % groups !== 0) {
    refuse("groups", `a divisor of ${inputChannels} and ${outputChannels} channels`, groups);
  }
  const bitWidth = layerBitWidth(layer);
  if (!(Number.isInteger(bitWidth) && bitWidth >= 1 && bitWidth <= 16)) refuse("bitWidth", "1 to 16", bitWidth);
}
