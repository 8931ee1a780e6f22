import { inputError, nearestWord } from "@dovetail/core";
import type { FigureTable, GridTable, Quantity } from "./source.js";

/** One figure of a table, with its unit and source. Throws `unknown_figure` for a name that the table lacks. */
export function figure(table: FigureTable, name: string): Quantity {
  const found = table.figures[name];
  if (found === undefined) {
    const near = nearestWord(name, Object.keys(table.figures));
    throw inputError("unknown_figure", `no figure of this name in ${table.source.citation}`, {
      expected: `one of ${Object.keys(table.figures).join(", ")}`,
      received: name,
      hint: near === undefined ? undefined : `did you mean ${near}?`,
    });
  }
  return { ...found, source: table.source };
}

/** Position of a column in a grid's rows. */
export function columnIndex<Column extends string>(table: GridTable<Column>, name: Column): number {
  return table.columns.findIndex((column) => column.name === name);
}
