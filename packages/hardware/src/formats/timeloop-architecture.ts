import { inputError } from "@dovetail/core";
import type { TimeloopComponent } from "./timeloop.js";
import { evaluateExpression, type Names } from "./timeloop-expression.js";
import {
  type ArchitectureNode,
  type Directive,
  type PlacedDirective,
  type Subtree,
  TAG,
  type TimeloopSections,
} from "./timeloop-files.js";

// Both forms of an architecture, as the flat list of components that the importer takes: a tree of subtrees whose names
// carry ranges, or a list of tagged nodes whose fan-outs stand in `spatial`. A fan-out of the second form becomes a
// component of its own that holds nothing, as in Timeloop's front end, which calls it inter_NAME_spatial.

/** The flat list, outermost first, and what nodes said beside their attributes. */
export interface FlatArchitecture {
  readonly components: readonly TimeloopComponent[];
  /** Constraints at nodes; their targets are components. */
  readonly constraints: readonly PlacedDirective[];
  /** `sparse_optimizations` at nodes, with the name of the component. */
  readonly sparse: readonly unknown[];
  /** Names of containers, and the component that stands for their fan-out. */
  readonly aliases: ReadonlyMap<string, string>;
}

type Path = readonly (string | number)[];

/** Classes by which Timeloop knows what a component is, by part of the name. */
const bufferClasses = ["DRAM", "SRAM", "regfile", "smartbuffer", "storage"];
const computeClasses = ["mac", "compute"];

/** The components of an input. Throws DovetailError with the path of what is wrong. */
export function flattenTimeloop(sections: TimeloopSections): FlatArchitecture {
  const { architecture, variables } = sections;
  if (architecture?.subtree !== undefined) return flattenSubtrees(architecture.subtree, variables);
  if (architecture?.nodes !== undefined) return flattenNodes(architecture.nodes, variables);
  throw inputError("timeloop_architecture", "the architecture has neither a subtree nor nodes", {
    path: ["architecture"],
    expected: "subtree (as processed) or nodes (as written for 0.4)",
  });
}

function flattenSubtrees(subtrees: readonly Subtree[], variables: Readonly<Record<string, unknown>>): FlatArchitecture {
  const components: TimeloopComponent[] = [];
  let trees: readonly Subtree[] = subtrees;
  let path: Path = ["architecture"];
  let instances = 1;
  const inherited: Record<string, unknown>[] = [{ ...variables }];
  while (trees.length > 0) {
    const [tree, second] = trees;
    path = [...path, "subtree"];
    if (second !== undefined) throw unsupported("branches side by side", [...path, 1], "one subtree a level");
    path = [...path, 0];
    instances *= rangeOf(tree!.name, [...path, "name"]);
    inherited.push({ ...inherited[inherited.length - 1], ...tree!.attributes });
    const inner: TimeloopComponent[] = [];
    for (const [index, local] of (tree!.local ?? []).entries()) {
      const at = [...path, "local", index];
      if (local.enabled === false || kindOf(local.class) === undefined) continue;
      const count = instances * rangeOf(local.name, [...at, "name"]);
      const own = local.attributes ?? {};
      const mesh = { x: own.meshX, y: own.meshY };
      inner.push(componentOf({ ...local, count, mesh }, own, inherited[inherited.length - 1]!, [...at, "attributes"]));
    }
    components.push(...inner);
    trees = tree!.subtree ?? [];
  }
  return { components: computeLast(components), constraints: [], sparse: [], aliases: new Map() };
}

/** Timeloop takes the compute unit for the innermost wherever it stands. */
function computeLast(components: readonly TimeloopComponent[]): TimeloopComponent[] {
  const compute = components.filter(({ class: name }) => kindOf(name) === "compute");
  if (compute.length !== 1) {
    throw inputError("timeloop_architecture", "there must be one compute unit", {
      path: ["architecture"],
      expected: `one component whose class has one of ${computeClasses.join(", ")} in its name`,
      received: compute.length === 0 ? "none" : compute.map(({ name }) => name).join(", "),
    });
  }
  return [...components.filter((component) => component !== compute[0]), compute[0]!];
}

function kindOf(className: string): "buffer" | "compute" | undefined {
  if (bufferClasses.some((part) => className.includes(part))) return "buffer";
  return computeClasses.some((part) => className.includes(part)) ? "compute" : undefined;
}

/** How many a range such as `PE[0..167]` names. */
function rangeOf(name: string, path: Path): number {
  const match = /\[(?:(\d+)\.\.)?(\d+)\]$/.exec(name);
  if (match === null) {
    if (!name.includes("[")) return 1;
    throw inputError("timeloop_range", "a range that cannot be read", { path, expected: "[0..15]", received: name });
  }
  const count = match[1] === undefined ? 1 : Number(match[2]) - Number(match[1]) + 1;
  if (count >= 1 && Number.isSafeInteger(count)) return count;
  throw inputError("timeloop_range", "a range of no instances", { path, expected: "[0..15]", received: name });
}

interface Walk {
  readonly components: TimeloopComponent[];
  readonly constraints: PlacedDirective[];
  readonly sparse: unknown[];
  readonly aliases: Map<string, string>;
  meshX: number;
  meshY: number;
}

function flattenNodes(
  nodes: readonly ArchitectureNode[],
  variables: Readonly<Record<string, unknown>>,
): FlatArchitecture {
  const walk: Walk = { components: [], constraints: [], sparse: [], aliases: new Map(), meshX: 1, meshY: 1 };
  walkNodes(walk, nodes, { ...variables }, ["architecture", "nodes"], false);
  return { ...walk, components: computeLast(walk.components) };
}

/** Attributes of containers hold for all that follows in their list; `inherited` is changed so. */
function walkNodes(
  walk: Walk,
  nodes: readonly ArchitectureNode[],
  inherited: Record<string, unknown>,
  path: Path,
  parallel: boolean,
): void {
  for (const [index, node] of nodes.entries()) {
    const at = [...path, index];
    if (node.enabled === false || node[TAG] === "Nothing") continue;
    if (node.nodes !== undefined) {
      if (node[TAG] === "Pipelined") throw unsupported("!Pipelined", at, "!Parallel or !Hierarchical");
      walkBranch(walk, node, inherited, at);
      continue;
    }
    walkLeaf(walk, node, inherited, at, parallel);
  }
}

function walkBranch(walk: Walk, node: ArchitectureNode, inherited: Record<string, unknown>, at: Path): void {
  const parallel = node[TAG] === "Parallel";
  const first = walk.components.length;
  walkNodes(walk, node.nodes!, parallel ? { ...inherited } : inherited, [...at, "nodes"], parallel);
  if (!parallel) return;
  // A tensor that one branch keeps passes the others by.
  const branches = new Set(walk.components.slice(first).map(({ name }) => name));
  const keeps = walk.constraints.filter(
    ({ directive: { type, target } }) => type === "dataspace" && branches.has(String(target)),
  );
  for (const { directive, path } of keeps) {
    for (const other of branches) {
      if (other === directive.target || directive.keep === undefined || directive.keep === null) continue;
      walk.constraints.push({ directive: { type: "dataspace", target: other, bypass: directive.keep }, path });
    }
  }
}

function walkLeaf(
  walk: Walk,
  node: ArchitectureNode,
  inherited: Record<string, unknown>,
  at: Path,
  parallel: boolean,
): void {
  const name = node.name;
  if (name === undefined) {
    throw inputError("timeloop_architecture", "a node without a name", { path: [...at, "name"], expected: "a name" });
  }
  const own = node.attributes ?? {};
  if (node.class === undefined) Object.assign(inherited, own);
  const names = namesOf(own, inherited);
  const x = countOf(node.spatial?.meshX, names, [...at, "spatial", "meshX"]);
  const y = countOf(node.spatial?.meshY, names, [...at, "spatial", "meshY"]);
  if (x * y > 1) {
    if (parallel) throw unsupported("a fan-out in a !Parallel branch", at, "no spatial here");
    const dummy = `inter_${name}_spatial`;
    walk.aliases.set(name, dummy);
    walk.components.push({ ...emptyComponent(dummy, walk.meshX, walk.meshY), class: "dummy_storage" });
    addConstraint(walk, node, "spatial", dummy, at);
    walk.meshX *= x;
    walk.meshY *= y;
  }
  if (node.class === undefined) return;
  if (kindOf(node.class) === undefined) return;
  const count = walk.meshX * walk.meshY;
  const mesh = { x: walk.meshX, y: walk.meshY };
  walk.components.push(componentOf({ name, class: node.class, count, mesh }, own, inherited, [...at, "attributes"]));
  for (const kind of Object.keys(node.constraints ?? {})) {
    if (kind !== "spatial") addConstraint(walk, node, kind, name, at);
  }
  if (node.sparse_optimizations !== undefined && node.sparse_optimizations !== null) {
    walk.sparse.push({ ...(node.sparse_optimizations as object), name });
  }
}

function addConstraint(walk: Walk, node: ArchitectureNode, kind: string, target: string, at: Path): void {
  const directive: Directive | null | undefined = node.constraints?.[kind];
  if (directive === null || directive === undefined) return;
  walk.constraints.push({ directive: { ...directive, type: kind, target }, path: [...at, "constraints", kind] });
}

function namesOf(own: Readonly<Record<string, unknown>>, inherited: Readonly<Record<string, unknown>>): Names {
  return (name) =>
    Object.hasOwn(own, name) ? own[name] : Object.hasOwn(inherited, name) ? inherited[name] : undefined;
}

function countOf(value: unknown, names: Names, path: Path): number {
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

function unsupported(what: string, path: Path, expected: string): Error {
  return inputError("timeloop_architecture", `${what}: not modelled`, { path, expected });
}

function emptyComponent(name: string, meshX: number, meshY: number): TimeloopComponent {
  return {
    name,
    class: "storage",
    instances: meshX * meshY,
    meshX,
    meshY,
    cluster_size: 1,
    multiple_buffering: 1,
    min_utilization: 0,
  };
}

interface Raw {
  readonly name: string;
  readonly class: string;
  readonly count: number;
  readonly mesh: { readonly x: unknown; readonly y: unknown };
}

/** Attributes by their names in Timeloop, which has several for some. */
function componentOf(
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
