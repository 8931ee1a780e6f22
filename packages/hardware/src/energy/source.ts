/** Where a figure comes from. `certainty` says how it was obtained, so that a report can show what rests on what. */
export interface FigureSource {
  /** Author, title or program, year, table. */
  readonly citation: string;
  /** `executed`: we ran the program; `read`: read in the source; `quoted`: secondary literature or common knowledge. */
  readonly certainty: "executed" | "read" | "quoted";
  /** What holds for the figures: cell type, voltage, clock, temperature. */
  readonly conditions?: string | undefined;
}

/** A number with its unit and source. */
export interface Quantity {
  readonly value: number;
  readonly unit: string;
  readonly source: FigureSource;
}

/** Named figures that share one source. */
export interface FigureTable {
  readonly source: FigureSource;
  readonly figures: Readonly<Record<string, Omit<Quantity, "source">>>;
}

/** Rows of numbers that share one source; `columns` names each column with its unit. */
export interface GridTable<Column extends string> {
  readonly source: FigureSource;
  readonly columns: readonly { readonly name: Column; readonly unit: string }[];
  readonly rows: readonly (readonly number[])[];
}
