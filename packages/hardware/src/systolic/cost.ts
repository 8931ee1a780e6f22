import { dataflowRules, type SystolicAccesses, type SystolicDataflow } from "./dataflow.js";
import { checkSizes, type SystolicLayer, systolicMacs } from "./layer.js";

/** A two-dimensional array of multiply-accumulate units that pass words to their neighbours. */
export interface SystolicArray {
  readonly rows: number;
  readonly columns: number;
  readonly dataflow: SystolicDataflow;
}

/** What a layer costs on a systolic array. Counts are of all its products together. */
export interface SystolicCost {
  readonly model: string;
  readonly name: string;
  readonly dataflow: SystolicDataflow;
  readonly macs: number;
  /** Extents laid along the array's rows and columns, and the one that streams, of one product. */
  readonly spatialRows: number;
  readonly spatialColumns: number;
  readonly temporal: number;
  /** Times that the array is filled for one product. */
  readonly folds: number;
  readonly products: number;
  readonly cyclesPerFold: number;
  /** Cycles without stalls, counted as SCALE-Sim does: the number of the last cycle, the first being 0. */
  readonly latencyCycles: number;
  /** Share of the units that a fold uses, over all folds. */
  readonly mappingEfficiency: number;
  /** Share of unit cycles that multiply, within the folds' active cycles. */
  readonly computeUtilization: number;
  /** Multiply-accumulates over all unit cycles. */
  readonly utilization: number;
  /** Words read from, and written to, the input, weight and output buffers. */
  readonly buffers: SystolicAccesses;
}

/** Name of the model, stamped into its results. */
export const systolicModelName = "systolic: SCALE-Sim's closed forms (1d62b68), no stalls";

/**
 * Cycles, buffer accesses and utilizations of a layer on a systolic array: the closed forms of what SCALE-Sim v3 counts
 * by simulating cycle by cycle (cost-model.md section 6.1). A product that is larger than the array is cut into folds,
 * which run one after another without overlap. Waiting for the off-chip memory is not modelled.
 *
 * With output stationary the tool counts a few writes more than there are outputs (34 a column instead of 32 in one of
 * its own reports); here each output is written once.
 *
 * @throws DovetailError `systolic_layer` for sizes that are no positive integers.
 */
export function systolicCost(layer: SystolicLayer, array: SystolicArray): SystolicCost {
  const { name, rows, inner, columns, products = 1 } = layer;
  checkSizes(name, { rows, inner, columns, products });
  checkSizes("array", { rows: array.rows, columns: array.columns });
  const rule = dataflowRules[array.dataflow];
  const units = array.rows * array.columns;
  const spatialRows = rule.spatialRows(layer);
  const spatialColumns = rule.spatialColumns(layer);
  const temporal = rule.temporal(layer);
  const folds = Math.ceil(spatialRows / array.rows) * Math.ceil(spatialColumns / array.columns);
  const cyclesPerFold = rule.cyclesPerFold(array, temporal);
  const latencyCycles = products * (folds * cyclesPerFold - 1);
  const mappingEfficiency = (spatialRows * spatialColumns) / (folds * units);
  const macs = systolicMacs(layer);
  const { inputReads, weightReads, outputWrites } = rule.accesses(layer, array);
  return {
    model: systolicModelName,
    name,
    dataflow: array.dataflow,
    macs,
    spatialRows,
    spatialColumns,
    temporal,
    folds,
    products,
    cyclesPerFold,
    latencyCycles,
    mappingEfficiency,
    computeUtilization: (mappingEfficiency * temporal) / rule.activeCycles(array, temporal),
    utilization: macs / (units * (latencyCycles + products)),
    buffers: {
      inputReads: products * inputReads,
      weightReads: products * weightReads,
      outputWrites: products * outputWrites,
    },
  };
}
