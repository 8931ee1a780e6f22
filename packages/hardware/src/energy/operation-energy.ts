import { inputError } from "@dovetail/core";
import { multiplyAccumulate } from "./multiply-accumulate.js";
import { shiftAddUnit } from "./scalable-unit.js";
import type { FigureSource, FigureTable } from "./source.js";
import { figure } from "./source-lookup.js";
import { horowitz } from "./tables/horowitz.js";
import { shiftAddOperators, shiftAddOperatorsZc706 } from "./tables/published-unit-energies.js";

/**
 * - `synthesised45`: whole processing elements with accumulator and clock, from our own synthesis (rtl.md section 4.6)
 * - `operators45`: bare operators of an ASIC, as ShiftAddNet's authors use them; integers of 16 and 32 bit, which they
 *   leave out, are Horowitz's, whose figures the others are
 * - `operatorsZc706`: bare operators of an FPGA, as published for ShiftAddNet
 */
export const operationTables = ["synthesised45", "operators45", "operatorsZc706"] as const;
export type OperationTable = (typeof operationTables)[number];

/** As `PointOperation` of a layer: energy knows nothing of layers. */
export type ArithmeticKind = "multiply" | "shift" | "add";

export interface OperationEnergyOptions {
  readonly operation: ArithmeticKind;
  /** Width of both operands; of the shifted one for a shift. Widths that a table lacks take the next wider figure. */
  readonly bitWidth: number;
  /** Floating point has figures at 32 bit. Default `integer`. */
  readonly format?: "integer" | "float" | undefined;
  readonly table?: OperationTable | undefined;
}

/**
 * Energy of a point of a layer with its accumulation, pJ: a multiplication and an addition; a shift and an addition; for
 * −|x − w| two additions. Bare operators accumulate in an adder of the operands' width, as the publications count.
 *
 * @throws DovetailError `no_energy_data` where the table has nothing: floating point other than 32 bit, wider integers,
 * synthesised shift and add units above 8 bit.
 */
export function operationEnergy(options: OperationEnergyOptions): {
  readonly energyPj: number;
  readonly source: FigureSource;
} {
  const { operation, bitWidth, format = "integer", table = "synthesised45" } = options;
  if (table === "synthesised45") return synthesised(options);
  const operators = format === "float" ? floatOperators[table] : integerOperators[table];
  const row = operators.find(({ widestBits }) => bitWidth <= widestBits);
  if (!(bitWidth >= 1) || row === undefined || (format === "float" && bitWidth !== 32)) {
    throw noData(options, format === "float" ? "32 bit" : "1 to 32 bit");
  }
  const first = { multiply: row.multiply, shift: row.shift, add: row.add }[operation];
  return {
    energyPj: first.value + row.add.value,
    source: (table === "operators45" ? shiftAddOperators : shiftAddOperatorsZc706).source,
  };
}

function synthesised(options: OperationEnergyOptions): { readonly energyPj: number; readonly source: FigureSource } {
  const { operation, bitWidth, format = "integer" } = options;
  const node = { technologyNm: 45 };
  if (format === "float") throw noData(options, "integers");
  if (operation === "multiply") {
    return multiplyAccumulate({ weightBitWidth: bitWidth, activationBitWidth: bitWidth, ...node });
  }
  if (!(bitWidth >= 1) || bitWidth > 8) throw noData(options, "1 to 8 bit");
  return shiftAddUnit({ kind: operation, ...node });
}

interface Operators {
  readonly widestBits: number;
  readonly multiply: { readonly value: number };
  readonly shift: { readonly value: number };
  readonly add: { readonly value: number };
}

/** Narrowest first. */
function operatorsOf(table: FigureTable, rows: readonly (readonly [number, string, string, string])[]): Operators[] {
  const of = (name: string) => (name.endsWith("Energy") ? figure(horowitz, name) : figure(table, name));
  return rows.map(([widestBits, multiply, shift, add]) => ({
    widestBits,
    multiply: of(multiply),
    shift: of(shift),
    add: of(add),
  }));
}

const integerOperators: Readonly<Record<Exclude<OperationTable, "synthesised45">, readonly Operators[]>> = {
  operators45: operatorsOf(shiftAddOperators, [
    [8, "integerMultiply8", "shift8", "integerAdd8"],
    [16, "integerMultiply32Energy", "shift32", "integerAdd16Energy"],
    [32, "integerMultiply32Energy", "shift32", "integerAdd32Energy"],
  ]),
  operatorsZc706: operatorsOf(shiftAddOperatorsZc706, [
    [8, "integerMultiply8", "shift8", "integerAdd8"],
    [32, "integerMultiply32", "shift32", "integerAdd32"],
  ]),
};

const floatOperators: typeof integerOperators = {
  operators45: operatorsOf(shiftAddOperators, [[32, "floatMultiply32", "shift32", "floatAdd32"]]),
  operatorsZc706: operatorsOf(shiftAddOperatorsZc706, [[32, "floatMultiply32", "shift32", "floatAdd32"]]),
};

function noData(
  { operation, bitWidth, format = "integer", table = "synthesised45" }: OperationEnergyOptions,
  expected: string,
): Error {
  return inputError("no_energy_data", `no energy of this operation in the table ${table}`, {
    expected,
    received: `${operation}, ${bitWidth} bit, ${format}`,
  });
}
