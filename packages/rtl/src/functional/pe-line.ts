import { inputError } from "@dovetail/core";
import { type BoothDigit, boothDigits } from "./booth.js";
import { checkUnitSize } from "./mac-unit.js";
import { fitsSigned, wrapSigned } from "./operand.js";

// A line of SmartExchange's accelerator (ISCA 2020): bit-serial multipliers that share a weight, each with an activation
// and an accumulator of its own, for neighbouring outputs of one row.

export interface PeLineOptions {
  /** Outputs of a row that are computed together. Default 8. */
  readonly multipliers?: number | undefined;
  /** Of a rebuilt weight, two's complement, 2 to 24. Default 8. */
  readonly weightBits?: number | undefined;
  /** Of an activation, 2 to 16. Default 8. */
  readonly inputBits?: number | undefined;
  /** Default false: behind a ReLU there is no sign. */
  readonly signedInputs?: boolean | undefined;
  /** Width of each accumulator, which wraps. Default 24. */
  readonly accumulatorBits?: number | undefined;
}

export interface PeLine {
  readonly multipliers: number;
  /** Sums of the multipliers. */
  readonly accumulators: readonly number[];
  /** True when the products that were started last are in the accumulators. */
  readonly isReady: boolean;
  /**
   * A weight for all multipliers, an activation for each.
   *
   * @throws DovetailError `unit_busy` before the last products are done, `unit_operands` for values out of range and
   * another number of activations than multipliers.
   */
  start(weight: number, inputs: ArrayLike<number>): void;
  /**
   * One clock cycle: every multiplier adds the weight, shifted by its activation's next digit that is not 0, to its
   * accumulator. All wait for the one with the most digits; activations that are all 0 take a cycle.
   */
  clock(): void;
  /** Sets the accumulators to zero. */
  clear(): void;
}

const resting: readonly (readonly BoothDigit[])[] = [];

/** @throws DovetailError `unit_size` for sizes out of range. */
export function createPeLine(options: PeLineOptions = {}): PeLine {
  const { multipliers = 8, weightBits = 8, inputBits = 8, signedInputs = false, accumulatorBits = 24 } = options;
  checkUnitSize("multipliers", multipliers, 1, 4096);
  checkUnitSize("weightBits", weightBits, 2, 24);
  checkUnitSize("inputBits", inputBits, 2, 16);
  checkUnitSize("accumulatorBits", accumulatorBits, 2, 52);
  const least = signedInputs ? -(2 ** (inputBits - 1)) : 0;
  const most = signedInputs ? 2 ** (inputBits - 1) - 1 : 2 ** inputBits - 1;
  const accumulators = new Array<number>(multipliers).fill(0);
  let operand = 0;
  let digits = resting;
  let cycle = 0;
  let cycles = 0;
  return {
    multipliers,
    accumulators,
    get isReady() {
      return cycle === cycles;
    },
    start(weight, inputs) {
      if (cycle < cycles)
        throw inputError("unit_busy", "the line still computes", { expected: "a line that is ready" });
      if (!fitsSigned(weight, weightBits)) throw refused("weight", `${weightBits} bit`, weight);
      if (inputs.length !== multipliers)
        throw refused("inputs", `${multipliers}, one for each multiplier`, inputs.length);
      digits = Array.from(inputs, (input, index) => {
        if (Number.isInteger(input) && input >= least && input <= most) return boothDigits(input);
        throw refused(`inputs ${index}`, `${least} to ${most}`, input);
      });
      operand = weight;
      cycle = 0;
      cycles = Math.max(1, ...digits.map(({ length }) => length));
    },
    clock() {
      if (cycle === cycles) return;
      for (let index = 0; index < multipliers; index++) {
        const term = digits[index]![cycle];
        if (term === undefined) continue;
        accumulators[index] = wrapSigned(
          accumulators[index]! + term.digit * operand * 4 ** term.place,
          accumulatorBits,
        );
      }
      cycle++;
    },
    clear() {
      accumulators.fill(0);
    },
  };
}

/** A row of weights: weight `tap` meets `inputs[tap]`, an activation for each multiplier. The cycles that it takes. */
export function multiplyRow(line: PeLine, weights: ArrayLike<number>, inputs: readonly ArrayLike<number>[]): number {
  let cycles = 0;
  for (const [tap, words] of inputs.entries()) {
    line.start(weights[tap]!, words);
    while (!line.isReady) {
      line.clock();
      cycles++;
    }
  }
  return cycles;
}

/**
 * What the line's input FIFO gives to the multipliers as a kernel's row slides over a row of a feature map: it holds
 * (multipliers − 1) · stride + 1 words, every `stride`-th of them goes to a multiplier, and between two weights it moves on
 * by `dilation` words. `words` has what goes in, in its order.
 */
export function slidingInputs(
  words: ArrayLike<number>,
  {
    multipliers,
    taps,
    stride = 1,
    dilation = 1,
  }: {
    readonly multipliers: number;
    readonly taps: number;
    readonly stride?: number | undefined;
    readonly dilation?: number | undefined;
  },
): number[][] {
  const held = (multipliers - 1) * stride + 1;
  const needed = held + (taps - 1) * dilation;
  if (words.length !== needed) throw refused("words", `${needed} words`, words.length);
  const fifo = Array.from({ length: held }, (_, index) => words[index]!);
  let next = held;
  return Array.from({ length: taps }, (_, tap) => {
    for (let step = 0; tap > 0 && step < dilation; step++) {
      fifo.shift();
      fifo.push(words[next++]!);
    }
    return Array.from({ length: multipliers }, (_, index) => fifo[index * stride]!);
  });
}

function refused(what: string, expected: string, received: number): Error {
  return inputError("unit_operands", `no ${what} for the line`, { path: [what], expected, received: String(received) });
}
