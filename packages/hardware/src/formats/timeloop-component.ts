import { inputError } from "@dovetail/core";
import type { TimeloopComponent } from "./timeloop.js";
import { evaluateExpression, type Names } from "./timeloop-expression.js";

// A component of Timeloop from its attributes, which may be expressions and have several names.

type Path = readonly (string | number)[];

/** Classes by which Timeloop knows what a component is, by part of the name. */
const bufferClasses = ["DRAM", "SRAM", "regfile", "smartbuffer", "storage"];
export const computeClasses = ["mac", "compute"];

/** What a component is; undefined for networks and what else Timeloop leaves out. */
export function kindOf(className: string): "buffer" | "compute" | undefined {
  if (bufferClasses.some((part) => className.includes(part))) return "buffer";
  return computeClasses.some((part) => className.includes(part)) ? "compute" : undefined;
}

/** What a name stands for at a component: its own attribute, else an inherited one. */
export function namesOf(own: Readonly<Record<string, unknown>>, inherited: Readonly<Record<string, unknown>>): Names {
  return (name) =>
    Object.hasOwn(own, name) ? own[name] : Object.hasOwn(inherited, name) ? inherited[name] : undefined;
}

/** A whole number of instances; 1 when nothing is said. */
export function countOf(value: unknown, names: Names, path: Path): number {
  if (value === undefined || value === null) return 1;
  const count = numberAt(value, names, path);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw inputError("timeloop_attribute", "a whole number is needed", {
    path,
    expected: "at least 1",
    received: String(count),
  });
}

function numberAt(value: unknown, names: Names, path: Path): number {
  try {
    return evaluateExpression(value, names);
  } catch (error) {
    const [diagnostic] = (error as { readonly diagnostics?: readonly object[] }).diagnostics ?? [];
    if (diagnostic === undefined) throw error;
    const { message, ...details } = diagnostic as { message: string; expected?: string; received?: string };
    throw inputError("timeloop_expression", message, { expected: details.expected, received: details.received, path });
  }
}

/** The error for what is not modelled. */
export function unsupported(what: string, path: Path, expected: string): Error {
  return inputError("timeloop_architecture", `${what}: not modelled`, { path, expected });
}

/** A component before its attributes are looked at. */
export interface Raw {
  readonly name: string;
  readonly class: string;
  readonly count: number;
  readonly mesh: { readonly x: unknown; readonly y: unknown };
}

/** Attributes by their names in Timeloop, which has several for some. */
export function componentOf(
  raw: Raw,
  own: Readonly<Record<string, unknown>>,
  inherited: Readonly<Record<string, unknown>>,
  path: Path,
): TimeloopComponent {
  const names = namesOf(own, inherited);
  const optional = (...keys: string[]): number | undefined => {
    const key = keys.find((candidate) => own[candidate] !== undefined && own[candidate] !== null);
    return key === undefined ? undefined : positive(numberAt(own[key], names, [...path, key]), [...path, key]);
  };
  const flag = (key: string): boolean => own[key] === true;
  refuseAttributes(own, path);
  const cluster = optional("cluster_size") ?? 1;
  const datawidth = optional("datawidth", "word_bits", "word_width");
  const width = optional("width", "memory_width", "data_storage_width");
  const blockSize = optional("block_size", "n_words");
  const words = width === undefined ? (blockSize ?? 1) : width / cluster / (datawidth ?? DEFAULT_WORD_BITS);
  const depth = optional("depth", "memory_depth", "data_storage_depth") ?? depthOfWords(optional, words, datawidth);
  const meshX =
    raw.mesh.x === undefined || raw.mesh.x === null ? undefined : countOf(raw.mesh.x, names, [...path, "meshX"]);
  const meshY =
    raw.mesh.y === undefined || raw.mesh.y === null ? undefined : countOf(raw.mesh.y, names, [...path, "meshY"]);
  const component = {
    name: raw.name.replace(/\[[^\]]*\]$/, ""),
    class: raw.class,
    instances: raw.count,
    meshX: meshX ?? raw.count / (meshY ?? 1),
    meshY: meshY ?? raw.count / (meshX ?? raw.count),
    depth: depth === undefined ? undefined : Math.max(1, Math.floor(depth)),
    width,
    datawidth,
    block_size: blockSize,
    cluster_size: cluster,
    multiple_buffering: optional("multiple_buffering") ?? 1,
    min_utilization: numberOr(own.min_utilization, 0, names, [...path, "min_utilization"]),
    read_bandwidth: optional("read_bandwidth") ?? half(optional("bandwidth")),
    write_bandwidth: optional("write_bandwidth") ?? half(optional("bandwidth")),
    shared_bandwidth: optional("shared_bandwidth", "rw_bandwidth"),
    metadata_datawidth: wholeOf(optional("metadata_datawidth", "metadata_word_bits")),
    metadata_storage_width: wholeOf(optional("metadata_storage_width", "metadata_width")),
    metadata_storage_depth: wholeOf(optional("metadata_storage_depth", "metadata_depth")),
    decompression_supported: flag("decompression_supported"),
    compression_supported: flag("compression_supported"),
  };
  checkMesh(component, path);
  return component;
}

const DEFAULT_WORD_BITS = 16;

/** Attributes that change a count and that the model does not know. */
function refuseAttributes(own: Readonly<Record<string, unknown>>, path: Path): void {
  for (const key of ["allow_overbooking", "has_power_gating", "tile_partition_supported"]) {
    if (own[key] === true) throw unsupported(key, [...path, key], "false");
  }
  for (const key of ["network_fill_latency", "network_drain_latency"]) {
    if (typeof own[key] === "number" && own[key] > 0) throw unsupported(key, [...path, key], "0");
  }
  const scales = own.per_dataspace_bandwidth_consumption_scale;
  if (scales === undefined || scales === null || Object.values(scales as object).every((scale) => scale === 1)) return;
  const key = "per_dataspace_bandwidth_consumption_scale";
  throw unsupported(key, [...path, key], "1 for every data space");
}

/** Timeloop's old `bandwidth` is that of reads and writes together, half for each. */
function half(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 2;
}

function numberOr(value: unknown, fallback: number, names: Names, path: Path): number {
  return value === undefined || value === null ? fallback : numberAt(value, names, path);
}

/** Attributes that are 0 or negative mean that there is none, but for sizes, which must be positive. */
function positive(value: number, path: Path): number | undefined {
  if (value > 0) return value;
  if (value === 0 && String(path[path.length - 1]).startsWith("metadata")) return undefined;
  throw inputError("timeloop_attribute", "a positive number is needed", { path, received: String(value) });
}

function wholeOf(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.floor(value);
}

function depthOfWords(
  optional: (...keys: string[]) => number | undefined,
  wordsOfRow: number,
  datawidth: number | undefined,
): number | undefined {
  const entries = optional("entries");
  const kibibytes = optional("sizeKB");
  if (entries !== undefined) return entries / wordsOfRow;
  return kibibytes === undefined ? undefined : (kibibytes * 8192) / (datawidth ?? DEFAULT_WORD_BITS) / wordsOfRow;
}

function checkMesh({ instances, meshX, meshY }: TimeloopComponent, path: Path): void {
  if (Number.isSafeInteger(meshX) && Number.isSafeInteger(meshY) && meshX * meshY === instances) return;
  throw inputError("timeloop_mesh", "meshX times meshY must be the number of instances", {
    path: [...path, "meshX"],
    expected: String(instances),
    received: `${meshX} × ${meshY}`,
  });
}
