import { inputError } from "@dovetail/core";
import { multiplyAccumulate } from "../energy/multiply-accumulate.js";
import { scalableUnit, shiftAddUnit } from "../energy/scalable-unit.js";
import { scaleTechnology } from "../energy/scale-technology.js";
import { type UnitPace, type UnitRule, unitPace } from "../precision/unit-pace.js";
import { lockstepCycles, meanTerms, type TermDistribution, type WordStatistics } from "../precision/words.js";
import type { PointOperation } from "../workload/problem.js";
import type { Accelerator, AcceleratorUnit } from "./document.js";

/** What a unit does for operands of two widths. */
export interface FiguredUnit extends UnitPace {
  /** Of one product. */
  readonly energyPj: number;
  /** Of the unit; absent where no table has it. */
  readonly areaUm2?: number | undefined;
  readonly source: string;
}

/** Node of the synthesised units. */
const unitTablesNm = 45;

/** Products that a unit starts together and the cycles that they take, for words with as many terms as bits. */
export function paceOf(unit: AcceleratorUnit, weightBits: number, inputBits: number): UnitPace {
  return unitPace(ruleOf(unit), weightBits, inputBits);
}

/**
 * Pace, energy and area of the units for layers of a kind. Machines of `shift` (`add`) units take layers of
 * multiplications as if they were of their own kind. `words` are statistics of the serial operand of an `essentialBits` unit.
 *
 * @throws DovetailError `no_energy_data` or `no_scaling_data` where the tables have nothing, `no_operation` for a kind of
 * layer that the units do not compute.
 */
export function unitFigures(
  accelerator: Accelerator,
  bits: { readonly weights: number; readonly inputs: number },
  words: WordStatistics,
  operation: PointOperation = "multiply",
): FiguredUnit {
  const { unit } = accelerator;
  const kind = kindFor(unit, operation);
  if (kind !== undefined) return { products: 1, cycles: 1, ...besideFigures(accelerator, kind, bits) };
  const pace = paceOf(unit, bits.weights, bits.inputs);
  if (unit.kind !== "essentialBits") return { ...pace, ...energyOf(accelerator, bits) };
  const terms = termsOf(unit, words);
  const perTerm = unit.given ?? perBitOf(accelerator, bits);
  return {
    products: pace.products,
    cycles: lockstepCycles(terms, unit.lockstep ?? 1),
    energyPj: perTerm.energyPj * meanTerms(terms),
    areaUm2: perTerm.areaUm2,
    source: perTerm.source,
  };
}

/** The unit beside the multiplier that does this; undefined where the machine's own units do. */
function kindFor({ kind, beside = [] }: AcceleratorUnit, operation: PointOperation): "shift" | "add" | undefined {
  if (operation === "multiply") return undefined;
  if (beside.includes(operation)) return operation;
  // Multipliers of every kind multiply by powers of two; add units do nothing else.
  const isAble = operation === "shift" ? kind !== "add" : kind === "add";
  if (isAble) return undefined;
  throw inputError("no_operation", `${kind} units do not compute layers of the kind ${operation}`, {
    path: ["unit", "beside"],
    expected: operation,
    received: beside.join(", ") || "no units beside",
    hint: "the zoo's shiftaddnet has units that shift and units that add",
  });
}

function besideFigures(
  { technologyNm, unit }: Accelerator,
  kind: "shift" | "add",
  bits: { readonly weights: number; readonly inputs: number },
): Figures {
  const widest = kind === "shift" ? bits.inputs : Math.max(bits.weights, bits.inputs);
  if (widest > 8) throw tooWide(kind, widest);
  const { energyPj, source } = shiftAddUnit({ kind, technologyNm });
  const cell = multiplyAccumulate({
    weightBitWidth: unit.weightBits,
    activationBitWidth: unit.inputBits,
    technologyNm,
  });
  return { energyPj, areaUm2: cell.areaUm2 + besideAreaUm2(unit, technologyNm), source: source.citation };
}

function besideAreaUm2({ beside = [] }: AcceleratorUnit, technologyNm: number): number {
  return beside.reduce((sum, kind) => sum + shiftAddUnit({ kind, technologyNm }).areaUm2, 0);
}

function ruleOf(unit: AcceleratorUnit): UnitRule {
  const { kind, weightBits, inputBits, serialOperand = "inputs" } = unit;
  const widestBits = Math.max(weightBits, inputBits);
  switch (kind) {
    case "serial":
    case "essentialBits":
      return { kind: "serial", serialOperand, widestBits: serialOperand === "weights" ? inputBits : weightBits };
    case "composable":
      return { kind, widestBits, narrowestBits: 2 };
    case "fixed":
      return { kind, widestBits };
    default:
      return { kind };
  }
}

function termsOf(unit: AcceleratorUnit, words: WordStatistics): TermDistribution {
  return unit.encoding === "booth" ? words.boothTerms : words.essentialBits;
}

type Figures = Pick<FiguredUnit, "energyPj" | "areaUm2" | "source">;

function energyOf(accelerator: Accelerator, bits: { readonly weights: number; readonly inputs: number }): Figures {
  const { unit, technologyNm } = accelerator;
  if (unit.given !== undefined) return unit.given;
  const widths = { weightBitWidth: bits.weights, activationBitWidth: bits.inputs, technologyNm };
  switch (unit.kind) {
    case "fixed":
      return fixedUnit(accelerator, bits);
    case "shift":
    case "add": {
      const widest = Math.max(bits.weights, bits.inputs);
      if (widest > 8) throw tooWide(unit.kind, widest);
      return named(shiftAddUnit({ kind: unit.kind, technologyNm }));
    }
    case "essentialBits":
      return perBitOf(accelerator, bits);
    default:
      return named(scalableUnit({ kind: unit.kind, ...widths, ...shapeOf(unit) }));
  }
}

/** Bit Fusion's synthesised cell of the machine's own width, a pass for each pair of slices, scaled from 45 nm. */
function fixedUnit(accelerator: Accelerator, bits: { readonly weights: number; readonly inputs: number }): Figures {
  const { unit, technologyNm, supplyVolts } = accelerator;
  const { cycles } = paceOf(unit, bits.weights, bits.inputs);
  const cell = multiplyAccumulate({
    weightBitWidth: unit.weightBits,
    activationBitWidth: unit.inputBits,
    technologyNm: unitTablesNm,
  });
  const scaled = scaleTechnology({ quantity: "energy", fromNm: unitTablesNm, toNm: technologyNm, supplyVolts });
  const isHere = technologyNm === unitTablesNm;
  return {
    energyPj: cell.energyPj * cycles * scaled.factor,
    ...(isHere && { areaUm2: cell.areaUm2 + besideAreaUm2(unit, technologyNm) }),
    source: isHere ? cell.source.citation : `${cell.source.citation}, scaled by ${scaled.source.citation}`,
  };
}

/** A cycle of the serial unit: its energies are 165 to 177 fJ a cycle at all widths. Finding the ones costs nothing here. */
function perBitOf(accelerator: Accelerator, bits: { readonly weights: number; readonly inputs: number }): Figures {
  const { unit, technologyNm } = accelerator;
  const figures = scalableUnit({
    kind: "serial",
    weightBitWidth: bits.weights,
    activationBitWidth: bits.inputs,
    technologyNm,
    ...shapeOf(unit),
  });
  const serialBits = unit.serialOperand === "weights" ? bits.weights : bits.inputs;
  return { ...named(figures), energyPj: figures.energyPj / Math.max(serialBits, 2) };
}

function shapeOf({ sharing, weightBits, inputBits }: AcceleratorUnit) {
  return { sharingUnits: sharing, unitBits: Math.max(weightBits, inputBits) > 8 ? 16 : 8 };
}

function named(figures: { energyPj: number; areaUm2: number; source: { citation: string } }): Figures {
  return { energyPj: figures.energyPj, areaUm2: figures.areaUm2, source: figures.source.citation };
}

function tooWide(kind: string, bits: number): Error {
  return inputError("no_energy_data", `no figures of a ${kind} unit for these operands`, {
    expected: "at most 8 bit",
    received: `${bits} bit`,
  });
}
