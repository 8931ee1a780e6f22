import { instanceCounts } from "../architecture/architecture.js";
import type { Accelerator, PublishedFigure } from "./document.js";
import { memoryFigures } from "./memory-figures.js";
import { assumedWords } from "./statistics.js";
import { paceOf, unitFigures } from "./unit-figures.js";

/** Units at the leaves of the fan-outs. */
export function unitCount(accelerator: Accelerator): number {
  return instances(accelerator).at(-1)!;
}

/** Multiply-accumulates in a cycle with all units busy; with units that skip zero bits, of words without a zero bit. */
export function peakMacsPerCycle(accelerator: Accelerator, bits?: number): number {
  const { unit } = accelerator;
  const { products, cycles } = paceOf(unit, bits ?? unit.weightBits, bits ?? unit.inputBits);
  return (unitCount(accelerator) * products) / cycles;
}

/** Bytes of a memory, all instances together; undefined for one without a bound. */
export function levelBytes(accelerator: Accelerator, name: string): number | undefined {
  const index = accelerator.levels.findIndex((level) => level.name === name);
  const memory = accelerator.levels[index]?.memory;
  if (memory === undefined) return undefined;
  const { bytes } = memoryFigures(memory, accelerator);
  return bytes === undefined ? undefined : bytes * instances(accelerator)[index]!;
}

/**
 * Area of memories and units in mm², at the widest operands that the tables have figures for; undefined where a part has
 * no area in any table. Networks, control and pads are in no table.
 */
export function acceleratorAreaMm2(accelerator: Accelerator): number | undefined {
  const counts = instances(accelerator);
  let areaUm2 = 0;
  for (const [index, { memory }] of accelerator.levels.entries()) {
    if (memory === undefined) continue;
    const { storage, bytes } = memoryFigures(memory, accelerator);
    if (bytes === undefined) continue;
    if (storage.areaUm2 === undefined) return undefined;
    areaUm2 += counts[index]! * storage.areaUm2;
  }
  const { unit } = accelerator;
  const bits =
    unit.kind === "fixed" || unit.kind === "composable"
      ? { weights: unit.weightBits, inputs: unit.inputBits }
      : { weights: Math.min(8, unit.weightBits), inputs: Math.min(8, unit.inputBits) };
  const figures = unitFigures(accelerator, bits, assumedWords(bits.inputs));
  return figures.areaUm2 === undefined ? undefined : (areaUm2 + counts.at(-1)! * figures.areaUm2) * 1e-6;
}

/** Our value of a published figure; undefined where there is none. */
export function ourFigure(accelerator: Accelerator, { fact, level, bits }: PublishedFigure): number | undefined {
  switch (fact) {
    case "units":
      return unitCount(accelerator);
    case "peakMacsPerCycle":
      return peakMacsPerCycle(accelerator, bits);
    case "peakGmacsPerSecond":
      return peakMacsPerCycle(accelerator, bits) * accelerator.clockMhz * 1e-3;
    case "levelBytes":
      return levelBytes(accelerator, level!);
    case "areaMm2":
      return acceleratorAreaMm2(accelerator);
  }
}

function instances(accelerator: Accelerator): number[] {
  return instanceCounts({
    ...accelerator,
    levels: accelerator.levels.map(({ name, fanout }) => ({ name, fanout })),
    compute: { name: "unit", energyPj: 0 },
  });
}
