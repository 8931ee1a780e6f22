import { prepareAnalysis } from "../analysis/analysis.js";
import { compileLimits, describeRejection, type Limits, type MappingRejection } from "../analysis/check.js";
import { encodeMapping } from "../analysis/code.js";
import type { AccessCounts } from "../analysis/counts.js";
import { compileTables, type Tables } from "../analysis/tables.js";
import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions } from "../cost/cost.js";
import { compileRates, type Rates } from "../cost/rates.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { densityModel } from "./density.js";
import type { DensityModel, Extents } from "./density-model.js";
import { type Movement, movementsOf } from "./movement.js";
import { extentsOf, type SparseNest, sparseNest } from "./nest.js";
import type { LevelSparsity } from "./schema.js";

/** A problem, an architecture and a mapping, counted as if all tensors were dense. */
export interface Prepared {
  readonly tables: Tables;
  readonly counts: AccessCounts;
  readonly rates: Rates;
  /** Of the data; what a tile holds decides, not its shape. */
  readonly limits: Limits;
  readonly nest: SparseNest;
  /** [level], innermost first. */
  readonly levels: readonly (LevelSparsity | undefined)[];
  readonly models: readonly DensityModel[];
  /** [data space][level], innermost first. */
  readonly movements: readonly (readonly Movement[])[];
}

/** Dense counts; a rejection when the loops do not fit. Room in the memories is not looked at here. */
export function prepareSparse(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  options: CostOptions,
): Prepared | MappingRejection {
  const tables = compileTables(problem, architecture);
  const analysis = prepareAnalysis(problem, unbounded(architecture), options);
  if (!analysis.run(encodeMapping(tables, mapping))) return describeRejection(tables, analysis.rejection);
  const { counts } = analysis;
  const nest = sparseNest(tables, mapping);
  const levels = [...architecture.levels].reverse().map(({ sparse }) => sparse);
  const models = problem.dataSpaces.map(({ density }, space) =>
    densityModel(density, extentsOf(tables.spaces[space]!, tables.sizes)),
  );
  const boxes = nest.levels.map((loops) => loops[loops.length - 1]!.box);
  return {
    tables,
    counts,
    rates: compileRates(tables),
    limits: compileLimits(tables),
    nest,
    levels,
    models,
    movements: tables.spaces.map((space, index) => {
      const extents: Extents[] = boxes.map((box) => extentsOf(space, box));
      const formats = levels.map((level) => level?.formats?.find(({ tensor }) => tensor === space.name));
      return movementsOf(tables, counts, index, models[index]!, extents, formats);
    }),
  };
}

/** The same without the size of its memories, whose room is that of what the tiles hold. */
function unbounded(architecture: Architecture): Architecture {
  return {
    ...architecture,
    levels: architecture.levels.map((level) =>
      level.storage === undefined ? level : { ...level, storage: { ...level.storage, entries: undefined } },
    ),
  };
}
