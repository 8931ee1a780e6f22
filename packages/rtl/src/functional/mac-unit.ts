import { inputError } from "@dovetail/core";
import { fitsSigned, wrapSigned } from "./operand.js";

/** Bits of the two operands of a product, each 2 to 16. */
export interface Precision {
  readonly weightBits: number;
  readonly inputBits: number;
}

export const narrowestBits = 2;
export const widestBits = 16;

/** What is multiplied together: as many weights as inputs, two's complement of the precision's widths. */
export interface Products extends Precision {
  readonly weights: readonly number[];
  readonly inputs: readonly number[];
}

/**
 * What a unit computes, cycle by cycle: every value that the generator yields is one clock cycle, and is added to the
 * accumulator in it. Its variables are the registers.
 */
export interface Datapath {
  /** Units that share the accumulator. */
  readonly units: number;
  /** Products that start together, of all units. */
  productsAt(precision: Precision): number;
  cycles(products: Products): Generator<number, void>;
}

/** A multiply-accumulate unit, or several with one accumulator. Precision may change from one start to the next. */
export interface MacUnit {
  readonly units: number;
  readonly accumulator: number;
  /** True when the products that were started last are in the accumulator. */
  readonly isReady: boolean;
  /** Products that start together at this precision. Throws `unit_precision` outside 2 to 16 bit. */
  productsAt(precision: Precision): number;
  /**
   * Takes operands in.
   *
   * @throws DovetailError `unit_precision`, `unit_operands` for another number of products than `productsAt` or a value
   * out of range, `unit_busy` before the last ones are done.
   */
  start(products: Products): void;
  /** One clock cycle. */
  clock(): void;
  /** Sets the accumulator to zero. */
  clear(): void;
}

export interface MacUnitOptions {
  /** Width of the accumulator, which wraps. Default 40; 24 in the synthesised units of 8 bit. At most 52. */
  readonly accumulatorBits?: number | undefined;
}

/**
 * A unit that runs a datapath.
 *
 * @throws DovetailError `unit_size` for a number of units that is no positive integer, and for accumulators of less than
 * 2 or more than 52 bit.
 */
export function createMacUnit(datapath: Datapath, { accumulatorBits = 40 }: MacUnitOptions = {}): MacUnit {
  checkUnitSize("units", datapath.units, 1, 65_536);
  checkUnitSize("accumulatorBits", accumulatorBits, 2, 52);
  let accumulator = 0;
  let running: Generator<number, void> | undefined;
  let next: IteratorResult<number, void> | undefined;
  return {
    units: datapath.units,
    get accumulator() {
      return accumulator;
    },
    get isReady() {
      return running === undefined;
    },
    productsAt(precision) {
      checkPrecision(precision);
      return datapath.productsAt(precision);
    },
    start(products) {
      if (running !== undefined) {
        throw inputError("unit_busy", "the unit still computes", { expected: "a unit that is ready" });
      }
      checkPrecision(products);
      checkOperands(products, datapath.productsAt(products));
      running = datapath.cycles(products);
      next = running.next();
    },
    clock() {
      if (running === undefined || next?.done !== false) return;
      accumulator = wrapSigned(accumulator + next.value, accumulatorBits);
      next = running.next();
      if (next.done) running = undefined;
    },
    clear() {
      accumulator = 0;
    },
  };
}

/** Runs the generators of units in lockstep: a cycle of all is one cycle, and their values are summed. */
export function* inLockstep(lanes: readonly Generator<number, void>[]): Generator<number, void> {
  for (;;) {
    const steps = lanes.map((lane) => lane.next());
    if (steps.some(({ done }) => done)) return;
    yield steps.reduce((sum, { value }) => sum + (value as number), 0);
  }
}

/** Starts products and clocks until they are done; the number of cycles. */
export function multiply(unit: MacUnit, products: Products): number {
  unit.start(products);
  let cycles = 0;
  while (!unit.isReady) {
    unit.clock();
    cycles++;
  }
  return cycles;
}

/** @throws DovetailError `unit_size` outside of the bounds. */
export function checkUnitSize(field: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw inputError("unit_size", "no size of a unit", {
    path: [field],
    expected: `${least} to ${most}`,
    received: String(value),
  });
}

function checkPrecision({ weightBits, inputBits }: Precision): void {
  for (const [field, bits] of Object.entries({ weightBits, inputBits })) {
    if (Number.isInteger(bits) && bits >= narrowestBits && bits <= widestBits) continue;
    throw inputError("unit_precision", "no width that the units multiply", {
      path: [field],
      expected: `${narrowestBits} to ${widestBits} bit`,
      received: `${bits} bit`,
    });
  }
}

function checkOperands({ weights, inputs, weightBits, inputBits }: Products, count: number): void {
  for (const [field, values, bits] of [
    ["weights", weights, weightBits],
    ["inputs", inputs, inputBits],
  ] as const) {
    if (values.length !== count) {
      throw inputError("unit_operands", "not as many operands as start together", {
        path: [field],
        expected: `${count}`,
        received: `${values.length}`,
      });
    }
    const index = values.findIndex((value) => !fitsSigned(value, bits));
    if (index < 0) continue;
    throw inputError("unit_operands", "an operand does not fit its width", {
      path: [field, index],
      expected: `${-(2 ** (bits - 1))} to ${2 ** (bits - 1) - 1}`,
      received: String(values[index]),
    });
  }
}
