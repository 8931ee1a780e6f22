// The add layer and its gradients in float64, from their definition.

import type { RandomStream } from "@dovetail/core";
import { type Tensor, tensor } from "@dovetail/graph";

/** Sizes of an add layer. */
export interface AdderGeometry {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly outputs: number;
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** [top, left, bottom, right]. */
  readonly pads: readonly [number, number, number, number];
}

/** Operands and output gradient. */
export interface AdderCase {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly dy: Tensor;
}

export interface AdderResults {
  readonly y: Float64Array;
  readonly dx: Float64Array;
  readonly dWeight: Float64Array;
}

export function outputSizes({ height, width, kernel, strides, pads }: AdderGeometry): [number, number] {
  return [
    Math.floor((height + pads[0] + pads[2] - kernel[0]) / strides[0]) + 1,
    Math.floor((width + pads[1] + pads[3] - kernel[1]) / strides[1]) + 1,
  ];
}

/** Attributes of the node. */
export function windowOf({ kernel, strides, pads }: AdderGeometry): Record<string, readonly number[]> {
  return { kernel_shape: kernel, strides, pads, dilations: [1, 1] };
}

/** Standard normal values. */
export function drawCase(geometry: AdderGeometry, random: RandomStream): AdderCase {
  const { batch, channels, height, width, outputs, kernel } = geometry;
  const draw = (name: string, shape: readonly number[]): Tensor => {
    const stream = random.split(name);
    const count = shape.reduce((product, size) => product * size, 1);
    return tensor(
      "float32",
      shape,
      Float32Array.from({ length: count }, () => stream.normal()),
    );
  };
  return {
    x: draw("x", [batch, channels, height, width]),
    weight: draw("weight", [outputs, channels, ...kernel]),
    dy: draw("dy", [batch, outputs, ...outputSizes(geometry)]),
  };
}

/** y = −Σ|x − w|, dx = Σ dy·clamp(w − x, −1, 1), dw = Σ dy·(x − w); padding is x = 0. */
export function adderReference(geometry: AdderGeometry, { x, weight, dy }: AdderCase): AdderResults {
  const { batch, channels, height, width, outputs, kernel, strides, pads } = geometry;
  const [outputHeight, outputWidth] = outputSizes(geometry);
  const [xs, ws, gs] = [x, weight, dy].map(({ data }) => data as Float32Array) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const results: AdderResults = {
    y: new Float64Array(gs.length),
    dx: new Float64Array(xs.length),
    dWeight: new Float64Array(ws.length),
  };
  for (let n = 0; n < batch; n++)
    for (let o = 0; o < outputs; o++)
      for (let p = 0; p < outputHeight; p++)
        for (let q = 0; q < outputWidth; q++) {
          const at = ((n * outputs + o) * outputHeight + p) * outputWidth + q;
          for (let c = 0; c < channels; c++)
            for (let r = 0; r < kernel[0]; r++)
              for (let s = 0; s < kernel[1]; s++) {
                const row = p * strides[0] + r - pads[0];
                const column = q * strides[1] + s - pads[1];
                const isInside = row >= 0 && row < height && column >= 0 && column < width;
                const from = ((n * channels + c) * height + row) * width + column;
                const value = isInside ? xs[from]! : 0;
                const of = ((o * channels + c) * kernel[0] + r) * kernel[1] + s;
                results.y[at]! -= Math.abs(value - ws[of]!);
                results.dWeight[of]! += gs[at]! * (value - ws[of]!);
                if (isInside) results.dx[from]! += gs[at]! * Math.min(1, Math.max(-1, ws[of]! - value));
              }
        }
  return results;
}
