// What the zoo's machines are made of, as rows: for the command `accelerators` and for the pages of the documentation.

import { DovetailError } from "@dovetail/core";
import {
  type Accelerator,
  acceleratorAreaMm2,
  assumedWords,
  levelBytes,
  memoryFigures,
  ourFigure,
  unitFigures,
} from "@dovetail/hardware";

/** A row a level: name, copies, size, row, energies of an access, source. */
export function levelRows(accelerator: Accelerator): string[][] {
  let copies = 1;
  return accelerator.levels.map((level) => {
    const count = copies;
    copies *= (level.fanout?.x ?? 1) * (level.fanout?.y ?? 1);
    const fanout = level.fanout === undefined ? "" : `${level.fanout.x} × ${level.fanout.y}`;
    if (level.memory === undefined) return [level.name, `${count}`, "", "", "", "", fanout, ""];
    const { storage, source, bytes } = memoryFigures(level.memory, accelerator);
    return [
      level.name,
      `${count}`,
      bytes === undefined ? "unbounded" : `${bytes} B`,
      `${storage.widthBits}`,
      storage.readPj.toPrecision(4),
      storage.writePj.toPrecision(4),
      fanout,
      source,
    ];
  });
}

export const levelHeader = [
  "level",
  "copies",
  "size of one",
  "row, bit",
  "read, pJ",
  "write, pJ",
  "fan-out",
  "source of the energies",
];

/** A row a precision: what a unit does of products of equal widths, of words of which nothing is known. */
export function precisionRows(accelerator: Accelerator): string[][] {
  return [2, 4, 8, 16].map((bits) => {
    try {
      const figures = unitFigures(accelerator, { weights: bits, inputs: bits }, assumedWords(bits));
      return [
        `${bits}`,
        `${figures.products}`,
        `${round(figures.cycles)}`,
        figures.energyPj.toPrecision(3),
        figures.source,
      ];
    } catch (error) {
      if (!(error instanceof DovetailError)) throw error;
      return [`${bits}`, "", "", "no source", error.diagnostics[0]!.message];
    }
  });
}

export const precisionHeader = ["bits", "products together", "cycles", "pJ a product", "source"];

/** A row a published figure, with ours. */
export function publishedRows(accelerator: Accelerator): string[][] {
  return accelerator.published.map((figure) => {
    const ours = ourFigure(accelerator, figure);
    const what = [figure.fact, figure.level, figure.bits && `${figure.bits} bit`].filter(Boolean).join(", ");
    return [what, `${figure.value}`, ours === undefined ? "none" : `${round(ours)}`, figure.source];
  });
}

export const publishedHeader = ["figure", "published", "ours", "source"];

/** Bytes of all memories on the chip. */
export function onChipBytes(accelerator: Accelerator): number {
  return accelerator.levels.reduce((sum, { name }) => sum + (levelBytes(accelerator, name) ?? 0), 0);
}

/** Area in mm², or why there is none. */
export function areaText(accelerator: Accelerator): string {
  const area = acceleratorAreaMm2(accelerator);
  return area === undefined ? "not known: a part has no area in the tables" : `${area.toPrecision(4)} mm²`;
}

function round(value: number): number {
  return Number(value.toPrecision(6));
}
