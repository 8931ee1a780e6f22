import { inputError } from "@dovetail/core";
import type { Tables } from "../analysis/tables.js";
import { type Architecture, instanceCounts } from "../architecture/architecture.js";
import type { Problem } from "../workload/problem.js";

// Energies and bandwidths of an architecture, as numbers.
//
// Precision. A memory that fixes its word (`wordBits`, Timeloop's datawidth) takes wordBits for every word, whatever the
// tensor. Elsewhere a word has the tensor's bits, and narrow words share a row: one access moves ⌊widthBits / bits⌋ of
// them. A word wider than the row takes ⌈bits / widthBits⌉ accesses.

export interface Rates {
  /** [level][data space]. */
  readonly wordBits: Float64Array;
  /** [level][data space]: words that one access moves; 1 for words wider than a row. */
  readonly wordsPerAccess: Float64Array;
  /** [level][data space]: accesses that one word takes; 1 unless it is wider than a row. */
  readonly accessesPerWord: Float64Array;
  /** [level], pJ per access. */
  readonly readPj: Float64Array;
  readonly writePj: Float64Array;
  readonly updatePj: Float64Array;
  /** [level], pJ per instance and cycle. */
  readonly leakagePj: Float64Array;
  /** [level], bits per cycle and instance; infinite where nothing is said. */
  readonly readBandwidth: Float64Array;
  readonly writeBandwidth: Float64Array;
  readonly sharedBandwidth: Float64Array;
  /** [level]: clusters in the chip. */
  readonly clusters: Float64Array;
  /** Compute units in the chip. */
  readonly units: number;
  /** Of a point of the loop nest, by the layer's kind. */
  readonly macPj: number;
  readonly unitLeakagePj: number;
}

export function compileRates(tables: Tables): Rates {
  const { architecture, spaces } = tables;
  const { levels, compute } = architecture;
  const counts = instanceCounts(architecture);
  const perLevel = (value: (level: (typeof levels)[number], index: number) => number): Float64Array =>
    Float64Array.from(levels, value);
  const perSpace = (value: (widthBits: number, bits: number) => number): Float64Array =>
    Float64Array.from(
      levels.flatMap(({ storage }) =>
        spaces.map(({ bitWidth }) => value(storage?.widthBits ?? 1, storage?.wordBits ?? bitWidth)),
      ),
    );
  return {
    wordBits: perSpace((_, bits) => bits),
    wordsPerAccess: perSpace((widthBits, bits) => Math.max(1, Math.floor(widthBits / bits))),
    accessesPerWord: perSpace((widthBits, bits) => Math.max(1, Math.ceil(bits / widthBits))),
    readPj: perLevel(({ storage }) => storage?.readPj ?? 0),
    writePj: perLevel(({ storage }) => storage?.writePj ?? 0),
    updatePj: perLevel(({ storage }) => storage?.updatePj ?? storage?.writePj ?? 0),
    leakagePj: perLevel(({ storage }) => storage?.leakagePjPerCycle ?? 0),
    readBandwidth: perLevel(({ storage }) => storage?.readBitsPerCycle ?? Number.POSITIVE_INFINITY),
    writeBandwidth: perLevel(({ storage }) => storage?.writeBitsPerCycle ?? Number.POSITIVE_INFINITY),
    sharedBandwidth: perLevel(({ storage }) => storage?.sharedBitsPerCycle ?? Number.POSITIVE_INFINITY),
    clusters: perLevel(({ storage }, index) => Math.max(1, Math.floor(counts[index]! / (storage?.clusterSize ?? 1)))),
    units: counts[counts.length - 1]!,
    macPj: operationPj(tables.problem, architecture),
    unitLeakagePj: compute.leakagePjPerCycle ?? 0,
  };
}

/**
 * Energy of a point of a layer on an architecture's units. A multiplier multiplies by powers of two as by anything else.
 *
 * @throws DovetailError `no_operation` for a layer of the kind `add` where the units do not say what that takes.
 */
export function operationPj({ name, operation = "multiply" }: Problem, { name: on, compute }: Architecture): number {
  if (operation === "multiply") return compute.energyPj;
  if (operation === "shift") return compute.shiftPj ?? compute.energyPj;
  if (compute.addPj !== undefined) return compute.addPj;
  throw inputError("no_operation", `the units of ${on} do not sum up |input - weight|, which layer ${name} does`, {
    path: ["compute", "addPj"],
    expected: "the energy of one such addition, pJ",
  });
}
