// What ONNX's Resize reads along one axis, as a linear map (Resize-18).

import type { AxisMap } from "./axis-map.js";

/** How Resize samples. */
export interface Interpolation {
  readonly mode: "nearest" | "linear" | "cubic";
  readonly coordinates: string;
  readonly nearest: string;
  /** Coefficient a of the cubic kernel (Keys 1981). */
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
}

/** The map along an axis that grows from `inputSize` to `outputSize`, `scale` apart. */
export function interpolationMap(
  inputSize: number,
  outputSize: number,
  scale: number,
  interpolation: Interpolation,
): AxisMap | undefined {
  const rows: AxisMap["rows"][number][] = [];
  for (let output = 0; output < outputSize; output++) {
    const position = originalPosition(output, inputSize, outputSize, scale, interpolation.coordinates);
    if (position === undefined) return undefined;
    rows.push(samplesAt(position, inputSize, interpolation));
  }
  return { inputSize, rows };
}

/** Position in the input that an output position stands for; undefined for transformations that are not maps of one axis. */
function originalPosition(
  output: number,
  inputSize: number,
  outputSize: number,
  scale: number,
  coordinates: string,
): number | undefined {
  const halfPixel = (output + 0.5) / scale - 0.5;
  switch (coordinates) {
    case "half_pixel":
      return halfPixel;
    case "pytorch_half_pixel":
      return outputSize > 1 ? halfPixel : 0;
    case "half_pixel_symmetric":
      return (inputSize / 2) * (1 - outputSize / (scale * inputSize)) + halfPixel;
    case "align_corners":
      return outputSize === 1 ? 0 : (output * (inputSize - 1)) / (outputSize - 1);
    case "asymmetric":
      return output / scale;
    default:
      return undefined;
  }
}

function samplesAt(position: number, size: number, interpolation: Interpolation): AxisMap["rows"][number] {
  switch (interpolation.mode) {
    case "nearest":
      return [{ input: clampIndex(roundedPosition(position, interpolation.nearest), size), weight: 1 }];
    case "linear":
      return linearSamples(Math.min(Math.max(position, 0), size - 1), size);
    case "cubic":
      return cubicSamples(position, size, interpolation);
  }
}

function clampIndex(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1);
}

function roundedPosition(position: number, nearest: string): number {
  if (nearest === "floor") return Math.floor(position);
  if (nearest === "ceil") return Math.ceil(position);
  return nearest === "round_prefer_ceil" ? Math.floor(position + 0.5) : Math.ceil(position - 0.5);
}

function linearSamples(position: number, size: number): AxisMap["rows"][number] {
  const lower = Math.floor(position);
  const share = position - lower;
  if (share === 0) return [{ input: lower, weight: 1 }];
  return [
    { input: lower, weight: 1 - share },
    { input: clampIndex(lower + 1, size), weight: share },
  ];
}

function cubicSamples(position: number, size: number, interpolation: Interpolation): AxisMap["rows"][number] {
  const lower = Math.floor(position);
  const samples = [-1, 0, 1, 2].map((offset) => ({
    input: lower + offset,
    weight: cubicWeight(Math.abs(position - lower - offset), interpolation.cubicCoefficient),
  }));
  if (!interpolation.excludeOutside) {
    return samples.map(({ input, weight }) => ({ input: clampIndex(input, size), weight }));
  }
  const inside = samples.filter(({ input }) => input >= 0 && input < size);
  const total = inside.reduce((sum, { weight }) => sum + weight, 0);
  return inside.map(({ input, weight }) => ({ input, weight: weight / total }));
}

/** Keys's convolution kernel at a distance. */
function cubicWeight(distance: number, a: number): number {
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1;
  if (distance < 2) return ((a * distance - 5 * a) * distance + 8 * a) * distance - 4 * a;
  return 0;
}
