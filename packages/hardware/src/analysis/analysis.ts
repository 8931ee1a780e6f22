import { inputError } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import {
  checkNest,
  compileLimits,
  createRejectionRecord,
  describeRejection,
  type MappingRejection,
  type RejectionRecord,
} from "./check.js";
import { encodeMapping, type MappingCode } from "./code.js";
import {
  type AccessCounts,
  countAccesses,
  countTiles,
  createCounts,
  createTrafficScratch,
  setTraffic,
} from "./counts.js";
import { countClasses, createFanoutScratch, fillOffsets } from "./fanout.js";
import { createLinkedScratch, linksMayServe, type Traffic, walkLinked, walkUnits } from "./linked-walk.js";
import { createNest, layOut } from "./nest.js";
import { compileTables, type Tables } from "./tables.js";
import { createTileWalk, type Halo, haloRules, walkTile } from "./walk.js";

export interface AnalysisOptions {
  /** How the overlap of successive tiles is credited. Default `timeloop-default`. */
  readonly halo?: Halo | undefined;
  /** Whether neighbours pass words on, at the levels whose fan-out has links. Default true, as Timeloop. */
  readonly neighbourLinks?: boolean | undefined;
  /** Whether the first accumulation of a result word is free of the read. Default true, as Timeloop. */
  readonly elideFirstReads?: boolean | undefined;
}

/** Counts accesses of any number of mappings of one problem on one architecture. */
export interface Analysis {
  readonly tables: Tables;
  /** Of the last mapping that fitted; overwritten by the next. */
  readonly counts: AccessCounts;
  /** Why the last mapping that did not fit was rejected; overwritten by the next. */
  readonly rejection: RejectionRecord;
  /** Whether the mapping fits; if so, its accesses are counted. Allocates nothing. */
  run(code: MappingCode): boolean;
  /** Counts the partitions of the last mapping that fitted, where `run` leaves that out. */
  countPartitions?(): void;
}

/**
 * Compiles a problem and an architecture for counting. The counts agree with Timeloop at commit 4cf6d4c (2025-03-31)
 * in its default settings; `walk.ts`, `fanout.ts` and `counts.ts` have the rules.
 */
export function prepareAnalysis(problem: Problem, architecture: Architecture, options: AnalysisOptions = {}): Analysis {
  const { halo = "timeloop-default", neighbourLinks = true, elideFirstReads = true } = options;
  const rule = haloRules[halo];
  requireTileMulticast(architecture);
  const tables = compileTables(problem, architecture);
  const limits = compileLimits(tables);
  const rejection = createRejectionRecord();
  const { levelCount, dimensionCount, spaces } = tables;
  const nest = createNest(tables);
  const fanout = createFanoutScratch(tables);
  const walks = spaces.map((space) => createTileWalk(nest, space, dimensionCount, rule));
  const linkedScratch = createLinkedScratch();
  const trafficScratch = createTrafficScratch(levelCount);
  const counts = createCounts(tables);
  const traffic: Traffic = { accesses: 0, deliveries: 0, links: 0 };
  const innermost = levelCount - 1;

  const countLevel = (code: MappingCode, index: number, level: number): void => {
    const space = spaces[index]!;
    const used = nest.used[level]!;
    const classes = countClasses(tables, nest, code, space, level, fanout);
    const linked = neighbourLinks && used > 1 && tables.neighbourLinks[level] === 1;
    const walk = walks[index]!;
    if (linked && (level === innermost || linksMayServe(walk, level))) {
      fillOffsets(tables, nest, code, space, level, fanout);
      const walkArray = level === innermost ? walkUnits : walkLinked;
      walkArray(walk, level, classes, fanout, linkedScratch, traffic);
      return;
    }
    const words = level === innermost ? nest.iterations : walkTile(walk, level);
    traffic.accesses = words * classes;
    traffic.deliveries = words * used;
    traffic.links = 0;
  };

  const run = (code: MappingCode): boolean => {
    layOut(nest, tables, code);
    if (!checkNest(tables, limits, nest, code, rejection)) return false;
    for (let index = 0; index < spaces.length; index++) {
      countTiles(tables, nest, index, counts);
      for (let level = 0; level < levelCount; level++) {
        countLevel(code, index, level);
        setTraffic(trafficScratch, level, traffic);
      }
      countAccesses(tables, nest, code, index, elideFirstReads, trafficScratch, counts);
    }
    counts.kept.set(code.keep);
    counts.instances.set(nest.instances);
    counts.computes = tables.macs;
    counts.computeCycles = nest.iterations;
    counts.units = nest.units;
    return true;
  };
  return { tables, counts, rejection, run };
}

/** Throws the input error `multicast`: counts of this model are those of tiles sent together. */
function requireTileMulticast({ levels }: Architecture): void {
  const index = levels.findIndex(({ fanout }) => (fanout?.multicast ?? "tiles") !== "tiles");
  if (index < 0) return;
  throw inputError("multicast", `the model timeloop does not count this network`, {
    path: ["levels", index, "fanout", "multicast"],
    expected: "tiles",
    received: levels[index]!.fanout!.multicast!,
  });
}

/**
 * Whether a mapping fits a problem and an architecture, as a value.
 *
 * @throws DovetailError when the mapping names levels, dimensions or data spaces that do not exist.
 */
export function checkMapping(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
): { readonly ok: true } | MappingRejection {
  const tables = compileTables(problem, architecture);
  const code = encodeMapping(tables, mapping);
  const nest = createNest(tables);
  layOut(nest, tables, code);
  const rejection = createRejectionRecord();
  const fits = checkNest(tables, compileLimits(tables), nest, code, rejection);
  return fits ? { ok: true } : describeRejection(tables, rejection);
}
