import { stringify } from "yaml";
import {
  type Architecture,
  type ArchitectureLevel,
  instanceCounts,
  type Storage,
} from "../architecture/architecture.js";
import type { Loop, Mapping, MappingLevel } from "../mapping/mapping.js";
import type { DataSpace, Problem } from "../workload/problem.js";
import { exportConstraints } from "./timeloop-export-constraints.js";
import { cannotExport, ranged, separated } from "./timeloop-export-parts.js";
import { exportDensity, exportSparsity } from "./timeloop-export-sparse.js";
import { areaTable, energyTable } from "./timeloop-export-tables.js";

// Our documents as Timeloop 0.4's processed input, with tables of energies and areas. What Timeloop has no words for is
// refused by name: a file that says something else would be worse than none.

/** Texts of the files that Timeloop takes. */
export interface TimeloopExport {
  /** Architecture, constraints, problem, and a mapping if there is one. */
  readonly input: string;
  readonly ert: string;
  readonly art: string;
}

/**
 * Timeloop's files for a layer on an architecture, and its mapping.
 *
 * @throws DovetailError `timeloop_export` for what Timeloop cannot say, with the field.
 */
export function exportTimeloop(problem: Problem, architecture: Architecture, mapping?: Mapping): TimeloopExport {
  checkNames(problem, architecture);
  const bits = wordBits(problem, architecture);
  const targets = exportConstraints(problem, architecture);
  const sparse = exportSparsity(architecture);
  const input = {
    architecture: { version: "0.4", subtree: [exportTree(architecture, bits)] },
    architecture_constraints: { targets },
    problem: exportProblem(problem),
    ...(sparse.targets.length > 0 && { sparse_optimizations: sparse }),
    ...(mapping && { mapping: exportMapping(problem, architecture, mapping) }),
  };
  return {
    input: toYaml(input),
    ert: toYaml(energyTable(problem, architecture)),
    art: toYaml(areaTable(architecture)),
  };
}

function toYaml(value: object): string {
  return stringify(value, { lineWidth: 120, collectionStyle: "any" });
}

/** Timeloop reads factors such as `P3`, and takes what follows a dot for the component's name. */
function checkNames(problem: Problem, { levels, compute }: Architecture): void {
  const dimension = Object.keys(problem.dimensions).find((name) => !/^[A-Za-z]+$/.test(name));
  if (dimension !== undefined) {
    throw cannotExport("names of dimensions may only have letters", ["dimensions", dimension], { received: dimension });
  }
  const level = [...levels.map(({ name }) => name), compute.name].find((name) => !/^[A-Za-z0-9_-]+$/.test(name));
  if (level === undefined) return;
  throw cannotExport("names of levels may not have dots", ["levels"], { received: level });
}

/** Bits of a word at each level; 1 where there is no storage. */
function wordBits({ dataSpaces }: Problem, { levels }: Architecture): number[] {
  const widths = [...new Set(dataSpaces.map(({ bitWidth }) => bitWidth))];
  return levels.map(({ storage }, index) => {
    if (storage === undefined) return 1;
    const bits = storage.wordBits ?? widths[0]!;
    if (storage.wordBits === undefined && widths.length > 1) {
      throw cannotExport("a level has words of one width in Timeloop", ["levels", index, "storage", "wordBits"], {
        expected: "wordBits, or tensors of one bitWidth",
        received: widths.join(", "),
      });
    }
    if (storage.widthBits % bits === 0) return bits;
    throw cannotExport("a row must hold whole words", ["levels", index, "storage", "widthBits"], {
      expected: `a multiple of ${bits}`,
      received: String(storage.widthBits),
    });
  });
}

function exportTree(architecture: Architecture, bits: readonly number[]): object {
  const { name, clockMhz, technologyNm, levels, compute } = architecture;
  const counts = instanceCounts(architecture);
  let meshX = 1;
  let meshY = 1;
  const local = levels.map((level, index) => {
    checkNetwork(level, index);
    const mesh = { meshX, meshY };
    meshX *= level.fanout?.x ?? 1;
    meshY *= level.fanout?.y ?? 1;
    return exportLevel(architecture, level, index, counts[index]!, bits[index]!, mesh);
  });
  if ((compute.leakagePjPerCycle ?? 0) > 0) {
    throw cannotExport("Timeloop leaves the leakage of compute units out", ["compute", "leakagePjPerCycle"]);
  }
  return {
    name,
    attributes: {
      ...(technologyNm !== undefined && { technology: `${technologyNm}nm` }),
      ...(clockMhz !== undefined && { global_cycle_seconds: 1e-6 / clockMhz }),
    },
    local: [
      ...local,
      { name: ranged(compute.name, counts[levels.length]!), class: "intmac", attributes: { meshX, meshY } },
    ],
  };
}

function checkNetwork({ fanout }: ArchitectureLevel, index: number): void {
  if ((fanout?.multicast ?? "tiles") === "tiles") return;
  throw cannotExport("Timeloop sends tiles to all that want them", ["levels", index, "fanout", "multicast"], {
    expected: "tiles",
    received: fanout!.multicast,
  });
}

function exportLevel(
  { constraints }: Architecture,
  { name, storage, sparse }: ArchitectureLevel,
  index: number,
  count: number,
  bits: number,
  mesh: { readonly meshX: number; readonly meshY: number },
): object {
  if (storage === undefined) {
    return {
      name: ranged(name, count),
      class: "dummy_storage",
      attributes: { depth: 1, width: 1, datawidth: 1, ...mesh },
    };
  }
  const own = constraints?.levels?.find(({ level }) => level === name);
  const cluster = storage.clusterSize ?? 1;
  const metadata = sparse?.metadata;
  return {
    name: ranged(name, count),
    class: index === 0 ? "DRAM" : "storage",
    attributes: {
      ...(storage.entries !== undefined && { depth: storage.entries }),
      width: storage.widthBits * cluster,
      datawidth: bits,
      ...(cluster > 1 && { cluster_size: cluster }),
      ...bandwidths(storage, bits),
      ...(own?.multipleBuffering !== undefined && { multiple_buffering: own.multipleBuffering }),
      ...(own?.minUtilization !== undefined && { min_utilization: own.minUtilization }),
      ...(metadata && {
        metadata_storage_width: metadata.widthBits,
        metadata_datawidth: metadata.wordBits,
        ...(metadata.entries !== undefined && { metadata_storage_depth: metadata.entries }),
      }),
      ...(sparse?.decompresses && { decompression_supported: true }),
      ...(sparse?.compresses && { compression_supported: true }),
      ...mesh,
    },
  };
}

/** In words per cycle. */
function bandwidths({ readBitsPerCycle, writeBitsPerCycle, sharedBitsPerCycle }: Storage, bits: number): object {
  return {
    ...(readBitsPerCycle !== undefined && { read_bandwidth: readBitsPerCycle / bits }),
    ...(writeBitsPerCycle !== undefined && { write_bandwidth: writeBitsPerCycle / bits }),
    ...(sharedBitsPerCycle !== undefined && { shared_bandwidth: sharedBitsPerCycle / bits }),
  };
}

/** Strides and dilations become coefficients, a name for each number. */
function exportProblem({ name, dimensions, dataSpaces }: Problem): object {
  const numbers = new Set(
    dataSpaces.flatMap(({ projection }) => projection.flatMap((rank) => rank.map((term) => term.coefficient))),
  );
  numbers.delete(1);
  const coefficientName = (value: number): string => `times${value}`;
  const densities = Object.fromEntries(
    dataSpaces.flatMap((space) => (space.density === undefined ? [] : [[space.name, exportDensity(space.density)]])),
  );
  const projectionOf = ({ projection }: DataSpace): string[][][] =>
    projection.map((rank) =>
      rank.map(({ coefficient, dimension }) =>
        coefficient === 1 ? [dimension] : [dimension, coefficientName(coefficient)],
      ),
    );
  return {
    version: "0.4",
    shape: {
      name,
      dimensions: Object.keys(dimensions),
      coefficients: [...numbers].map((value) => ({ name: coefficientName(value), default: value })),
      data_spaces: dataSpaces.map((space) => ({
        name: space.name,
        projection: projectionOf(space),
        read_write: space.readWrite,
      })),
    },
    instance: { ...dimensions, ...(Object.keys(densities).length > 0 && { densities }) },
  };
}

function exportMapping(problem: Problem, { levels }: Architecture, mapping: Mapping): object[] {
  const names = Object.keys(problem.dimensions);
  const bounds = new Map(names.map((name) => [name, 1]));
  for (const { temporal, spatialX, spatialY } of mapping.levels) {
    for (const { dimension, bound } of [...temporal, ...spatialX, ...spatialY]) {
      bounds.set(dimension, (bounds.get(dimension) ?? 1) * bound);
    }
  }
  const wrong = names.find((name) => bounds.get(name) !== problem.dimensions[name]);
  if (wrong !== undefined) {
    throw cannotExport("a mapping with remainders", ["mapping", wrong], {
      expected: `bounds that multiply to ${problem.dimensions[wrong]}`,
      received: String(bounds.get(wrong)),
    });
  }
  return mapping.levels.flatMap((level, index) => levelDirectives(problem, levels[index]!, level));
}

function levelDirectives(
  { dimensions, dataSpaces }: Problem,
  { fanout }: ArchitectureLevel,
  level: MappingLevel,
): object[] {
  const names = Object.keys(dimensions);
  const tensors = dataSpaces.map(({ name }) => name);
  const target = level.level;
  const ordered = (loops: readonly Loop[]): string[] => loops.map(({ dimension }) => dimension).reverse();
  const listed = (inner: readonly string[]): string =>
    separated([...inner, ...names.filter((name) => !inner.includes(name))]);
  const spread = [...level.spatialY, ...level.spatialX];
  const inner = [...ordered(level.spatialX), ...ordered(level.spatialY)];
  return [
    {
      target,
      type: "temporal",
      factors: factorsText(names, level.temporal),
      permutation: listed(ordered(level.temporal)),
    },
    ...((fanout?.x ?? 1) * (fanout?.y ?? 1) > 1
      ? [
          {
            target,
            type: "spatial",
            factors: factorsText(names, spread),
            permutation: listed(inner),
            split: level.spatialX.length,
            ...(fanout!.neighbourLinks ? {} : { no_link_transfer: tensors }),
          },
        ]
      : []),
    {
      target,
      type: "datatype",
      keep: level.keep,
      bypass: tensors.filter((name) => !level.keep.includes(name)),
    },
  ];
}

/** A dimension may lie along both axes; its factors are then one. */
function factorsText(names: readonly string[], loops: readonly Loop[]): string {
  return names
    .map((name) => {
      const own = loops.filter(({ dimension }) => dimension === name);
      if (own.length > 1 && own.every(({ bound }) => bound > 1)) {
        throw cannotExport("a dimension along both axes of a fan-out", ["mapping", name]);
      }
      return `${name}=${own.reduce((product, { bound }) => product * bound, 1)}`;
    })
    .join(" ");
}
