import { inputError, nearestWord } from "@dovetail/core";
import type { Loop, Mapping } from "../mapping/mapping.js";
import type { Tables } from "./tables.js";

/**
 * A mapping in typed arrays: what evaluators take and mappers change in place.
 * All are row-major [level][dimension] (`keep`: [level][data space]); levels outermost first.
 */
export interface MappingCode {
  /** Bounds; 1 where there is no loop. */
  readonly temporal: Int32Array;
  readonly spatialX: Int32Array;
  readonly spatialY: Int32Array;
  /** A permutation of the dimension indices per level, outermost loop first. */
  readonly temporalOrder: Uint8Array;
  readonly orderX: Uint8Array;
  readonly orderY: Uint8Array;
  /** 1 where the level holds the data space. */
  readonly keep: Uint8Array;
}

/** All bounds 1, all orders the problem's, nothing kept. */
export function createMappingCode(tables: Tables): MappingCode {
  const cells = tables.levelCount * tables.dimensionCount;
  const order = (): Uint8Array => Uint8Array.from({ length: cells }, (_, index) => index % tables.dimensionCount);
  return {
    temporal: new Int32Array(cells).fill(1),
    spatialX: new Int32Array(cells).fill(1),
    spatialY: new Int32Array(cells).fill(1),
    temporalOrder: order(),
    orderX: order(),
    orderY: order(),
    keep: new Uint8Array(tables.levelCount * tables.spaces.length),
  };
}

/**
 * The typed form of a mapping document.
 *
 * @throws DovetailError `mapping_levels`, `unknown_dimension` or `unknown_data_space` when it speaks of other levels,
 * dimensions or data spaces than the architecture and the problem have.
 */
export function encodeMapping(tables: Tables, mapping: Mapping): MappingCode {
  const code = createMappingCode(tables);
  const expected = tables.architecture.levels.map((level) => level.name);
  const received = mapping.levels.map((level) => level.level);
  if (expected.join() !== received.join()) {
    throw inputError("mapping_levels", "the mapping must have the architecture's levels, outermost first", {
      path: ["levels"],
      expected: expected.join(", "),
      received: received.join(", "),
    });
  }
  mapping.levels.forEach((level, index) => {
    const path = ["levels", index];
    encodeLoops(tables, level.temporal, code.temporal, code.temporalOrder, index, [...path, "temporal"]);
    encodeLoops(tables, level.spatialX, code.spatialX, code.orderX, index, [...path, "spatialX"]);
    encodeLoops(tables, level.spatialY, code.spatialY, code.orderY, index, [...path, "spatialY"]);
    level.keep.forEach((name, at) => {
      const names = tables.spaces.map((space) => space.name);
      const space = indexOf(name, names, "unknown_data_space", [...path, "keep", at]);
      code.keep[index * names.length + space] = 1;
    });
  });
  return code;
}

function encodeLoops(
  tables: Tables,
  loops: readonly Loop[],
  bounds: Int32Array,
  order: Uint8Array,
  level: number,
  path: readonly (string | number)[],
): void {
  const start = level * tables.dimensionCount;
  const listed = loops.map((loop, at) => {
    const dimension = indexOf(loop.dimension, tables.dimensionNames, "unknown_dimension", [...path, at]);
    bounds[start + dimension] = loop.bound;
    return dimension;
  });
  const rest = tables.dimensionNames.map((_, dimension) => dimension).filter((index) => !listed.includes(index));
  order.set([...listed, ...rest], start);
}

function indexOf(name: string, names: readonly string[], code: string, path: readonly (string | number)[]): number {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  const near = nearestWord(name, names);
  throw inputError(code, `the problem has no ${code === "unknown_dimension" ? "such dimension" : "such data space"}`, {
    path,
    expected: `one of ${names.join(", ")}`,
    received: name,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

/** The document of a mapping in typed form; loops of bound 1 are left out. */
export function decodeMapping(tables: Tables, code: MappingCode): Mapping {
  const { dimensionCount, dimensionNames, spaces } = tables;
  const loops = (bounds: Int32Array, order: Uint8Array, level: number): Loop[] => {
    const start = level * dimensionCount;
    return [...order.subarray(start, start + dimensionCount)]
      .filter((dimension) => bounds[start + dimension]! > 1)
      .map((dimension) => ({ dimension: dimensionNames[dimension]!, bound: bounds[start + dimension]! }));
  };
  return {
    levels: tables.architecture.levels.map((level, index) => ({
      level: level.name,
      keep: spaces.filter((_, space) => code.keep[index * spaces.length + space] === 1).map((space) => space.name),
      temporal: loops(code.temporal, code.temporalOrder, index),
      spatialY: loops(code.spatialY, code.orderY, index),
      spatialX: loops(code.spatialX, code.orderX, index),
    })),
  };
}
