/** What stays in the array's processing elements while the rest streams through. */
export type SystolicDataflow = "weightStationary" | "inputStationary" | "outputStationary";

/** A matrix product [rows × inner] · [inner × columns]. */
interface Product {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

interface ArraySize {
  readonly rows: number;
  readonly columns: number;
}

/** Words that the array exchanges with the three buffers for one product. */
export interface SystolicAccesses {
  readonly inputReads: number;
  readonly weightReads: number;
  readonly outputWrites: number;
}

/** How a product is laid on the array under one dataflow (cost-model.md section 6.1). */
interface DataflowRule {
  /** Which extents lie along the array's rows and columns, and which one streams. */
  readonly spatialRows: (product: Product) => number;
  readonly spatialColumns: (product: Product) => number;
  readonly temporal: (product: Product) => number;
  /** Cycles from the first word in to the last word out of one fold: loading, skewed streaming, draining. */
  readonly cyclesPerFold: (array: ArraySize, temporal: number) => number;
  /** Cycles of a fold that the compute utilization counts as busy or waiting. */
  readonly activeCycles: (array: ArraySize, temporal: number) => number;
  readonly accesses: (product: Product, array: ArraySize) => SystolicAccesses;
}

/** One operand is loaded first, R cycles; then the other streams T words, skewed over R rows and C columns. */
const preloaded = {
  cyclesPerFold: ({ rows, columns }: ArraySize, temporal: number): number => 2 * rows + columns + temporal - 2,
  activeCycles: ({ rows, columns }: ArraySize, temporal: number): number => 2 * rows + 2 * columns + temporal - 3,
};

export const dataflowRules: Readonly<Record<SystolicDataflow, DataflowRule>> = {
  weightStationary: {
    ...preloaded,
    spatialRows: ({ inner }) => inner,
    spatialColumns: ({ columns }) => columns,
    temporal: ({ rows }) => rows,
    accesses: ({ rows, inner, columns }, array) => ({
      inputReads: rows * inner * Math.ceil(columns / array.columns),
      weightReads: inner * columns,
      outputWrites: rows * columns * Math.ceil(inner / array.rows),
    }),
  },
  inputStationary: {
    ...preloaded,
    spatialRows: ({ inner }) => inner,
    spatialColumns: ({ rows }) => rows,
    temporal: ({ columns }) => columns,
    accesses: ({ rows, inner, columns }, array) => ({
      inputReads: rows * inner,
      weightReads: inner * columns * Math.ceil(rows / array.columns),
      outputWrites: rows * columns * Math.ceil(inner / array.rows),
    }),
  },
  outputStationary: {
    spatialRows: ({ rows }) => rows,
    spatialColumns: ({ columns }) => columns,
    temporal: ({ inner }) => inner,
    cyclesPerFold: ({ rows, columns }, temporal) => rows + columns + temporal - 2,
    activeCycles: ({ rows, columns }, temporal) => rows + columns + temporal - 2,
    accesses: ({ rows, inner, columns }, array) => ({
      inputReads: rows * inner * Math.ceil(columns / array.columns),
      weightReads: inner * columns * Math.ceil(rows / array.rows),
      outputWrites: rows * columns,
    }),
  },
};
