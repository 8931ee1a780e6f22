import { inputError } from "@dovetail/core";
import * as z from "zod";
import type { Architecture, ArchitectureLevel, Storage } from "../architecture/architecture.js";
import type { Loop, Mapping } from "../mapping/mapping.js";
import type { Problem, Rank } from "../workload/problem.js";

// Timeloop's processed inputs (version 0.4): problem shape and instance, the flat list of components, energy per
// action, and the mapping as its printed loops. Only what they say about dense layers is taken over.

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
});

/** Energy of each action of each component, pJ. */
export const timeloopEnergySchema = z.record(
  z.string(),
  z.object({
    read: z.number().optional(),
    write: z.number().optional(),
    update: z.number().optional(),
    compute: z.number().optional(),
    leak: z.number().optional(),
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
  return {
    name: shape.name ?? "problem",
    dimensions: Object.fromEntries(shape.dimensions.map((name) => [name, sizeOf(name, undefined)])),
    dataSpaces: shape.data_spaces.map((space) => ({
      name: space.name,
      readWrite: space.read_write,
      projection: space.projection.map(rank),
      bitWidth: DEFAULT_WORD_BITS,
    })),
  };
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
): Architecture {
  const compute = components[components.length - 1];
  if (compute === undefined || components.length < 2) {
    throw inputError("timeloop_architecture", "too few components", {
      expected: "a memory and a compute unit",
      received: String(components.length),
    });
  }
  const memories = components.slice(0, -1);
  return {
    name,
    levels: memories.map((component, index): ArchitectureLevel => {
      const fanout = fanoutBetween(component, components[index + 1]!);
      const storage = component.class === "dummy_storage" ? undefined : importStorage(component, energies);
      return { name: component.name, ...(storage && { storage }), ...(fanout && { fanout }) };
    }),
    // Timeloop leaves the leakage of compute units out of its energies.
    compute: { name: compute.name, energyPj: energies[compute.name]?.compute ?? 0 },
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
    widthBits: component.width ?? wordBits * (component.block_size ?? 1),
    wordBits,
    readBitsPerCycle: bits(component.read_bandwidth),
    writeBitsPerCycle: bits(component.write_bandwidth),
    sharedBitsPerCycle: bits(component.shared_bandwidth),
    readPj: energy.read ?? 0,
    writePj: energy.write ?? 0,
    updatePj: energy.update,
    leakagePjPerCycle: energy.leak ?? 0,
    clusterSize: component.cluster_size,
  };
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
