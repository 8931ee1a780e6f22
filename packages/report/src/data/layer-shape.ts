import type { Problem } from "@dovetail/hardware";

/** What a layer does and gives, in the words of networks. */
export interface LayerShape {
  /** Output without the batch: [channels, height, width] of a convolution, [features] of a linear layer. */
  readonly output: readonly number[];
  readonly kind: "convolution" | "depthwise" | "pointwise" | "matrix product";
  /** Height and width; absent for matrix products. */
  readonly kernel?: readonly [number, number] | undefined;
  readonly stride: number;
}

/** Reads the shape out of a loop nest with the letters N, G, M, C, P, Q, R, S. */
export function layerShape(problem: Problem): LayerShape {
  const { dimensions } = problem;
  const size = (name: string): number => dimensions[name] ?? 1;
  const convolution = "P" in dimensions && "R" in dimensions;
  const channels = size("G") * size("M");
  if (!convolution) return { output: [channels], kind: "matrix product", stride: 1 };
  const kernel = [size("R"), size("S")] as const;
  const depthwise = size("G") > 1 && size("M") === 1 && size("C") === 1;
  const pointwise = kernel[0] === 1 && kernel[1] === 1;
  return {
    output: [channels, size("P"), size("Q")],
    kind: depthwise ? "depthwise" : pointwise ? "pointwise" : "convolution",
    kernel,
    stride: strideOf(problem),
  };
}

/** `16 × 32 × 32` */
export function describeOutput({ output }: LayerShape): string {
  return output.join(" × ");
}

/** `3×3 depthwise, stride 2` */
export function describeKernel({ kind, kernel, stride }: LayerShape): string {
  if (kernel === undefined) return kind;
  const name = kind === "depthwise" ? " depthwise" : "";
  return `${kernel[0]}×${kernel[1]}${name}${stride > 1 ? `, stride ${stride}` : ""}`;
}

function strideOf(problem: Problem): number {
  const terms = problem.dataSpaces.filter((space) => !space.readWrite).flatMap((space) => space.projection.flat());
  return Math.max(1, ...terms.filter(({ dimension }) => dimension === "P").map(({ coefficient }) => coefficient));
}
