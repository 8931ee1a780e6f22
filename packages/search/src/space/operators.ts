import type { Value } from "@dovetail/graph";
import { activate, basicBlock, convBatchNorm, invertedResidual, type NetworkBuilder, sizeOf } from "@dovetail/models";

/** Output of a position of the space. */
export interface PositionShape {
  readonly channels: number;
  readonly stride: number;
}

/** One choice at a position: a block of layers. */
export interface OperatorChoice {
  readonly name: string;
  build(n: NetworkBuilder, name: string, x: Value, position: PositionShape): Value;
}

/** The input itself, or brought to the position's shape by a 1×1 convolution with batch normalization. */
function shortcut(n: NetworkBuilder, x: Value, { channels, stride }: PositionShape): Value {
  if (stride === 1 && sizeOf(x, 1) === channels) return x;
  return convBatchNorm(n, "shortcut", x, { channels, kernel: 1, stride, padding: 0, activation: "none" });
}

/** A residual block: what `branch` makes of the input, up to its batch normalization, and a shortcut. */
export function residualOperator(
  name: string,
  branch: (n: NetworkBuilder, x: Value, position: PositionShape) => Value,
): OperatorChoice {
  return {
    name,
    build: (n, scope, x, position) =>
      n.scope(scope, () => activate(n, n.g.add(branch(n, x, position), shortcut(n, x, position)), "relu")),
  };
}

/** A residual block of one 3×3 convolution. */
const residual = residualOperator("residual_k3", (n, x, { channels, stride }) =>
  convBatchNorm(n, "conv", x, { channels, kernel: 3, stride, activation: "none" }),
);

/** A residual block of two 3×3 convolutions with half as many channels between them. */
const narrowResidual: OperatorChoice = {
  name: "basic_k3_half",
  build: (n, name, x, position) =>
    n.scope(name, () => {
      const { channels, stride } = position;
      const y = convBatchNorm(n, "first", x, { channels: channels / 2, kernel: 3, stride });
      const z = convBatchNorm(n, "second", y, { channels, kernel: 3, activation: "none" });
      return activate(n, n.g.add(z, shortcut(n, x, position)), "relu");
    }),
};

/** The basic block of ResNet. */
const basic: OperatorChoice = { name: "basic_k3", build: (n, name, x, position) => basicBlock(n, name, x, position) };

/** MobileNetV2's block, FBNet's k{kernel}_e{expansion}. */
function inverted(kernel: number, expansion: number): OperatorChoice {
  return {
    name: `inverted_k${kernel}_e${expansion}`,
    build: (n, name, x, position) =>
      invertedResidual(n, name, x, { ...position, kernel, expansion, activation: "relu" }),
  };
}

/** Nothing, or a 1×1 convolution where the shape changes. */
const skip: OperatorChoice = {
  name: "skip",
  build: (n, name, x, position) =>
    n.scope(name, () => {
      const y = shortcut(n, x, position);
      return y === x ? n.g.identity(x) : activate(n, y, "relu");
    }),
};

/** The operators of the space: residual blocks of plain convolutions and FBNet's inverted residuals, and skip. */
export const operatorChoices: readonly OperatorChoice[] = [
  basic,
  narrowResidual,
  residual,
  inverted(3, 1),
  inverted(3, 3),
  inverted(5, 3),
  skip,
];
