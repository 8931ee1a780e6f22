import { createPeLine, multiplyRow, type PeLineOptions } from "./pe-line.js";
import { createRebuildEngine, type RebuildEngineOptions } from "./rebuild-engine.js";

// A line with its rebuild engine and the index selector before them, as SmartExchange's accelerator has 16 in each of its
// 64 slices.

/** A row of a kernel with the activations that it meets. */
export interface RowPair {
  /** Words of the row's coefficients; absent where the row is zero. */
  readonly coefficients?: ArrayLike<number> | undefined;
  /** Index of the row's basis. */
  readonly basis: number;
  /** [tap][multiplier], of `slidingInputs` or of as many channels; absent where the row of the feature map is zero. */
  readonly inputs?: readonly ArrayLike<number>[] | undefined;
}

export interface Basis {
  readonly elements: ArrayLike<number>;
  readonly outputShift: number;
}

export interface RebuildingLineOptions
  extends Omit<PeLineOptions, "weightBits">,
    Omit<RebuildEngineOptions, "weightBits"> {
  readonly weightBits?: number | undefined;
}

export interface LineResult {
  /** One for each multiplier. */
  readonly sums: readonly number[];
  /** From the first coefficient in to the last product accumulated. */
  readonly cycles: number;
  /** Cycles in which the line multiplies; the others it waits for its weights. */
  readonly multiplyCycles: number;
  readonly rebuildCycles: number;
  /** Pairs of which neither row is zero. */
  readonly pairs: number;
}

export interface RebuildingLine {
  /**
   * Sums up all pairs from zero. The selector leaves out pairs with a zero row in no time; the engine rebuilds the next
   * pair's weights while the line multiplies with the last ones.
   */
  run(pairs: Iterable<RowPair>, bases: readonly Basis[]): LineResult;
}

/** @throws DovetailError as `createPeLine` and `createRebuildEngine`. */
export function createRebuildingLine(options: RebuildingLineOptions = {}): RebuildingLine {
  const line = createPeLine(options);
  const engine = createRebuildEngine(options);
  let loaded: Basis | undefined;
  return {
    run(pairs, bases) {
      line.clear();
      const result = { cycles: 0, multiplyCycles: 0, rebuildCycles: 0, pairs: 0 };
      /** Cycles of the products that run while the next weights are rebuilt. */
      let running = 0;
      for (const { coefficients, basis, inputs } of pairs) {
        if (coefficients === undefined || inputs === undefined) continue;
        const before = engine.cycles;
        const needed = bases[basis]!;
        if (needed !== loaded) engine.load(needed.elements, needed.outputShift);
        loaded = needed;
        const weights = engine.rebuild(coefficients);
        const rebuilding = engine.cycles - before;
        result.cycles += Math.max(running, rebuilding);
        result.rebuildCycles += rebuilding;
        running = multiplyRow(line, weights, inputs);
        result.multiplyCycles += running;
        result.pairs++;
      }
      result.cycles += running;
      return { ...result, sums: [...line.accumulators] };
    },
  };
}
