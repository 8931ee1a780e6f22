import { inputError } from "@dovetail/core";
import * as z from "zod";
import type { Architecture, ArchitectureLevel, Storage } from "../architecture/architecture.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import type { Density } from "../sparse/density.js";
import type { Problem } from "../workload/problem.js";
import type { Rank } from "../workload/projection.js";
import {
  importComputeSparsity,
  importLevelSparsity,
  importTimeloopDensity,
  type TimeloopSparse,
  timeloopDensitiesSchema,
} from "./timeloop-sparse.js";

// Timeloop's processed inputs (version 0.4): problem shape and instance, the flat list of components, energy per
// action, and the mapping as its printed loops.

const termSchema = z.array(z.string()).min(1).max(2);

/** `problem` of a processed input: a shape with data spaces, and the instance's sizes and coefficients. */
export const timeloopProblemSchema = z.object({
  instance: z.record(z.string(), z.unknown()),
  shape: z.object({
    name: z.string().optional(),
    dimensions: z.array(z.string()),
    coefficients: z.array(z.object({ name: z.string(), default: z.int().positive() })).default([]),
    data_spaces: z.array(
      z.object({ name: z.string(), projection: z.array(z.array(termSchema)), read_write: z.boolean().default(false) }),
    ),
  }),
});

/** A component of the flattened architecture, outermost first; the last is the compute unit. */
export const timeloopComponentSchema = z.object({
  name: z.string(),
  class: z.string(),
  instances: z.int().positive(),
  meshX: z.int().positive().default(1),
  meshY: z.int().positive().default(1),
  depth: z.int().positive().optional(),
  width: z.number().positive().optional(),
  datawidth: z.number().positive().optional(),
  block_size: z.int().positive().optional(),
  cluster_size: z.int().positive().default(1),
  multiple_buffering: z.number().positive().default(1),
  min_utilization: z.number().min(0).max(1).default(0),
  read_bandwidth: z.number().positive().optional(),
  write_bandwidth: z.number().positive().optional(),
  shared_bandwidth: z.number().positive().optional(),
  metadata_datawidth: z.int().nonnegative().optional(),
  metadata_storage_width: z.int().nonnegative().optional(),
  metadata_storage_depth: z.int().nonnegative().optional(),
  decompression_supported: z.boolean().optional(),
  compression_supported: z.boolean().optional(),
});

/** Energy of each action of each component, pJ. What is no number (the estimators' names) does not count. */
export const timeloopEnergySchema = z.record(
  z.string(),
  z.record(z.string(), z.unknown()).transform((actions): Record<string, number> => {
    const numbers = Object.entries(actions).filter(([, energy]) => typeof energy === "number");
    return Object.fromEntries(numbers) as Record<string, number>;
  }),
);

/** A level of the printed mapping, outermost first, its loops outermost first. */
export const timeloopMappingSchema = z.array(
  z.object({
    level: z.string(),
    tiles: z.record(z.string(), z.number()),
    loops: z.array(z.object({ dim: z.string(), bound: z.int().positive(), spatial: z.enum(["X", "Y"]).optional() })),
  }),
);

export type TimeloopProblem = z.infer<typeof timeloopProblemSchema>;
export type TimeloopComponent = z.infer<typeof timeloopComponentSchema>;
export type TimeloopEnergies = z.infer<typeof timeloopEnergySchema>;
export type TimeloopMapping = z.infer<typeof timeloopMappingSchema>;

/** Width of a word where Timeloop's level says none. */
const DEFAULT_WORD_BITS = 16;

/**
 * The problem that a Timeloop instance of a shape describes. Its words get 16 bits; Timeloop gives each level a width instead.
 *
 * @throws DovetailError `timeloop_problem` for a missing size or an unknown coefficient.
 */
export function importTimeloopProblem({ shape, instance }: TimeloopProblem): Problem {
  const sizeOf = (name: string, fallback: number | undefined): number => {
    const value = instance[name] ?? fallback;
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw inputError("timeloop_problem", "the instance lacks a size or coefficient", {
      path: ["instance", name],
      expected: "a positive integer",
      received: JSON.stringify(value),
    });
  };
  const coefficients = new Map(shape.coefficients.map(({ name, default: value }) => [name, sizeOf(name, value)]));
  const rank = (terms: readonly string[][]): Rank =>
    terms.map((factors) => {
      const dimension = factors.find((factor) => shape.dimensions.includes(factor));
      const other = factors.find((factor) => factor !== dimension);
      const coefficient = other === undefined ? 1 : coefficients.get(other);
      if (dimension !== undefined && coefficient !== undefined) return { coefficient, dimension };
      throw inputError("timeloop_problem", "a projection term must be a dimension with at most one coefficient", {
        expected: `one of ${shape.dimensions.join(", ")}, and one of ${[...coefficients.keys()].join(", ")}`,
        received: factors.join(", "),
      });
    });
  const densities = densitiesOf(
    shape.data_spaces.map(({ name }) => name),
    instance,
  );
  return {
    name: shape.name ?? "problem",
    dimensions: Object.fromEntries(shape.dimensions.map((name) => [name, sizeOf(name, undefined)])),
    dataSpaces: shape.data_spaces.map((space) => {
      const density = densities[space.name];
      return {
        name: space.name,
        readWrite: space.read_write,
        projection: space.projection.map(rank),
        bitWidth: DEFAULT_WORD_BITS,
        ...(density !== undefined && { density }),
      };
    }),
  };
}

/** Densities by tensor: those of the instance, or the one that all share. */
function densitiesOf(
  tensors: readonly string[],
  { densities, commonDensity }: Readonly<Record<string, unknown>>,
): Readonly<Record<string, Density | undefined>> {
  const all = commonDensity === undefined ? {} : Object.fromEntries(tensors.map((name) => [name, commonDensity]));
  const given = timeloopDensitiesSchema.safeParse(densities === undefined || densities === null ? all : densities);
  if (!given.success) {
    throw inputError("timeloop_problem", "densities must be numbers or distributions", {
      path: ["instance", "densities"],
      expected: "for each tensor a share, or a distribution with its density",
      received: JSON.stringify(densities ?? commonDensity),
    });
  }
  return Object.fromEntries(
    Object.entries(given.data).map(([tensor, density]) => [tensor, importTimeloopDensity(density, tensor)]),
  );
}

/**
 * The architecture of a flat list of components, outermost first, the last of which computes. Containers
 * (`dummy_storage`) become mere fan-outs; bandwidths in words become bits.
 *
 * @throws DovetailError `timeloop_architecture` when there are fewer than two components.
 */
export function importTimeloopArchitecture(
  name: string,
  components: readonly TimeloopComponent[],
  energies: TimeloopEnergies,
  { targets }: TimeloopSparse = { targets: [] },
): Architecture {
  const compute = components[components.length - 1];
  if (compute === undefined || components.length < 2) {
    throw inputError("timeloop_architecture", "too few components", {
      expected: "a memory and a compute unit",
      received: String(components.length),
    });
  }
  const memories = components.slice(0, -1);
  const targetOf = (level: string) => targets.find(({ name }) => name === level);
  const computeSparsity = importComputeSparsity(targetOf(compute.name), energies[compute.name] ?? {});
  return {
    name,
    levels: memories.map((component, index): ArchitectureLevel => {
      const fanout = fanoutBetween(component, components[index + 1]!);
      const storage = component.class === "dummy_storage" ? undefined : importStorage(component, energies);
      const sparse = importLevelSparsity(targetOf(component.name), component, energies[component.name] ?? {});
      return {
        name: component.name,
        ...(storage && { storage }),
        ...(fanout && { fanout }),
        ...(sparse && { sparse }),
      };
    }),
    // Timeloop leaves the leakage of compute units out of its energies.
    compute: {
      name: compute.name,
      energyPj: computePj(energies[compute.name] ?? {}) ?? 0,
      ...(computeSparsity && { sparse: computeSparsity }),
    },
    constraints: {
      levels: memories
        .filter((component) => component.multiple_buffering !== 1 || component.min_utilization > 0)
        .map((component) => ({
          level: component.name,
          multipleBuffering: component.multiple_buffering,
          minUtilization: component.min_utilization,
        })),
    },
  };
}

function computePj(energy: Readonly<Record<string, number>>): number | undefined {
  return energy.mac_random ?? energy.mult_random ?? energy.mac ?? energy.mult ?? energy.compute;
}

function fanoutBetween(parent: TimeloopComponent, child: TimeloopComponent): ArchitectureLevel["fanout"] {
  const children = child.instances / parent.instances;
  if (children === 1) return undefined;
  const x = child.meshX / parent.meshX;
  const y = child.meshY / parent.meshY;
  return x * y === children ? { x, y, neighbourLinks: true } : { x: children, y: 1, neighbourLinks: true };
}

function importStorage(component: TimeloopComponent, energies: TimeloopEnergies): Storage {
  const wordBits = component.datawidth ?? DEFAULT_WORD_BITS;
  const energy = energies[component.name] ?? {};
  const bits = (words: number | undefined): number | undefined => (words === undefined ? undefined : words * wordBits);
  return {
    entries: component.depth,
    // The width is that of a cluster's row.
    widthBits:
      component.width === undefined ? wordBits * (component.block_size ?? 1) : component.width / component.cluster_size,
    wordBits,
    readBitsPerCycle: bits(component.read_bandwidth),
    writeBitsPerCycle: bits(component.write_bandwidth),
    sharedBitsPerCycle: bits(component.shared_bandwidth),
    readPj: energy.random_read ?? energy.read ?? 0,
    writePj: fillPj(energy) ?? 0,
    updatePj: energy.random_update ?? energy.random_write ?? energy.update ?? energy.write,
    leakagePjPerCycle: energy.leak ?? 0,
    clusterSize: component.cluster_size,
  };
}

/** Names of one action, the first that the table has (Timeloop's `storageOperationMappings`). */
function fillPj(energy: Readonly<Record<string, number>>): number | undefined {
  return energy.random_fill ?? energy.random_write ?? energy.fill ?? energy.write;
}

/** The mapping of Timeloop's printed loops. A level keeps what it has a tile of. */
export function importTimeloopMapping(printed: TimeloopMapping): Mapping {
  return {
    levels: printed.map(({ level, tiles, loops }) => {
      const loopsOn = (axis: "X" | "Y" | undefined): Loop[] =>
        loops.filter((loop) => loop.spatial === axis).map(({ dim, bound }) => ({ dimension: dim, bound }));
      return {
        level,
        keep: Object.keys(tiles),
        temporal: loopsOn(undefined),
        spatialY: loopsOn("Y"),
        spatialX: loopsOn("X"),
      };
    }),
  };
}
