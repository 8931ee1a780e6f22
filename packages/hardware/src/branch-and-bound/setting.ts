import { inputError } from "@dovetail/core";
import type { HaloRule } from "../analysis/walk.js";
import { haloRules } from "../analysis/walk.js";
import type { Architecture } from "../architecture/architecture.js";
import type { CostOptions } from "../cost/cost.js";
import { compileRates, type Rates } from "../cost/rates.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import { type ChainLists, createChainLists } from "./chains.js";
import { type PairQuestion, type PairTable, tabulatePair } from "./pair-tables.js";
import { shapeTensors, type TensorShape } from "./tensors.js";

/** What all bounds of one search have in common. */
export interface Setting {
  readonly space: Mapspace;
  readonly architecture: Architecture;
  readonly rates: Rates;
  readonly shapes: readonly TensorShape[];
  readonly rule: HaloRule;
  /** [level]: 1 where the fan-out passes words between neighbours. */
  readonly links: Uint8Array;
  readonly elideFirstReads: boolean;
  readonly leakage: boolean;
  readonly chains: ChainLists;
  pairTable(space: number, pair: number, question: PairQuestion): PairTable;
}

/**
 * @throws DovetailError `model` for models other than *timeloop*, and `halo` for the rule `exact`, whose overlaps in every
 * direction the bounds do not know.
 */
export function createSetting(space: Mapspace, architecture: Architecture, options: CostOptions): Setting {
  const {
    model = "timeloop",
    halo = "timeloop-default",
    neighbourLinks = true,
    elideFirstReads = true,
    leakage = true,
  } = options;
  if (model !== "timeloop") {
    throw inputError("model", "the exact mapper has no bounds for this cost model", {
      path: ["model"],
      expected: "timeloop",
      received: model,
    });
  }
  if (halo === "exact") {
    throw inputError("halo", "the exact mapper has no bounds for this halo rule", {
      path: ["halo"],
      expected: "timeloop-default or timeloop-full",
      received: halo,
    });
  }
  const { levelCount } = space.tables;
  const rule = haloRules[halo];
  const chains = createChainLists(space);
  const tables = new Map<string, PairTable>();
  return {
    space,
    architecture,
    rates: compileRates(space.tables),
    shapes: shapeTensors(space.tables),
    rule,
    links: neighbourLinks ? space.tables.neighbourLinks : new Uint8Array(levelCount),
    elideFirstReads,
    leakage,
    chains,
    pairTable(tensor, pair, question) {
      const { boundary, linkLevels, firstSpread, secondSpread } = question;
      const key = [tensor, pair, boundary, linkLevels.join(), firstSpread.join(), secondSpread.join()].join(";");
      const known = tables.get(key);
      if (known !== undefined) return known;
      const made = tabulatePair(question, chains, rule, levelCount);
      tables.set(key, made);
      return made;
    },
  };
}
