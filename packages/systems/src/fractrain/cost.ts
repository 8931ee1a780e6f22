// Cost of low-precision training in bit-operations, as shares of a float32 multiply–accumulate.

/** Bits of a layer's operands in a training step; 32 for full precision. */
export interface OperandBits {
  readonly weightBits: number;
  readonly activationBits: number;
  /** Of the gradient that arrives at the layer's output. */
  readonly gradientBits: number;
}

/** A figure for each of a layer's three products: forward, error (to the layer's input), gradient (to its weights). */
export interface Products {
  readonly forward: number;
  readonly error: number;
  readonly gradient: number;
}

export const productNames = ["forward", "error", "gradient"] as const satisfies readonly (keyof Products)[];

/** Cost of a product of operands of `a` and `b` bits: a · b / 32². */
export function productCost(a: number, b: number): number {
  return (a * b) / 1024;
}

/** Costs of the three products: activation × weight, gradient × weight, activation × gradient. */
export function productCosts({ weightBits, activationBits, gradientBits }: OperandBits): Products {
  return {
    forward: productCost(activationBits, weightBits),
    error: productCost(gradientBits, weightBits),
    gradient: productCost(activationBits, gradientBits),
  };
}

/** Mean cost of the three products, in percent: FracTrain's cp. */
export function costPercent(bits: OperandBits): number {
  const { forward, error, gradient } = productCosts(bits);
  return (100 * (forward + error + gradient)) / 3;
}

/** cp of a precision pair of static training, where weights and activations have the forward bits. */
export function pairPercent({ forwardBits, backwardBits }: PrecisionPair): number {
  return costPercent({ weightBits: forwardBits, activationBits: forwardBits, gradientBits: backwardBits });
}

/** Bits of the forward product's operands, and of gradients. */
export interface PrecisionPair {
  readonly forwardBits: number;
  readonly backwardBits: number;
}

/** What a gate chooses between; both 0: the block is skipped. */
export interface Choice {
  readonly activationBits: number;
  readonly gradientBits: number;
}

/** The block's branch is not computed. */
export const skipChoice: Choice = { activationBits: 0, gradientBits: 0 };

/** The published choices (CIFAR-10), and before them the skip, without which 4-bit weights cost 1.76 % at least. */
export const defaultChoices: readonly Choice[] = [
  skipChoice,
  { activationBits: 3, gradientBits: 6 },
  { activationBits: 4, gradientBits: 6 },
  { activationBits: 4, gradientBits: 8 },
  { activationBits: 6, gradientBits: 8 },
  { activationBits: 6, gradientBits: 12 },
];

/** Without the skip. */
export const publishedChoices: readonly Choice[] = defaultChoices.filter((choice) => !isSkip(choice));

/** Gradients at 6 bits, which with 4-bit weights lose nothing here, and what that saves for activations. */
export const sixBitGradientChoices: readonly Choice[] = [3, 4, 5, 6, 8].map((activationBits) => ({
  activationBits,
  gradientBits: 6,
}));

export function isSkip({ activationBits, gradientBits }: Choice): boolean {
  return activationBits === 0 && gradientBits === 0;
}

/** cp of a block whose samples all make a choice; of a skip, zero. */
export function choicePercent(choice: Choice, weightBits: number): number {
  return isSkip(choice) ? 0 : costPercent({ weightBits, ...choice });
}
