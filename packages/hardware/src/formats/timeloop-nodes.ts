import { inputError } from "@dovetail/core";
import type { TimeloopComponent } from "./timeloop.js";
import { componentOf, countOf, kindOf, namesOf, unsupported } from "./timeloop-component.js";
import type { PlacedDirective } from "./timeloop-files.js";
import { type ArchitectureNode, type Directive, TAG } from "./timeloop-sections.js";

// The form with tagged nodes. A fan-out becomes a component of its own that holds nothing, as in Timeloop's front end,
// which calls it inter_NAME_spatial.

type Path = readonly (string | number)[];

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

interface Walk {
  readonly components: TimeloopComponent[];
  readonly constraints: PlacedDirective[];
  readonly sparse: unknown[];
  readonly aliases: Map<string, string>;
  meshX: number;
  meshY: number;
}

/** The components of nodes. Throws DovetailError with the path of what is wrong. */
export function flattenNodes(
  nodes: readonly ArchitectureNode[],
  variables: Readonly<Record<string, unknown>>,
): FlatArchitecture {
  const walk: Walk = { components: [], constraints: [], sparse: [], aliases: new Map(), meshX: 1, meshY: 1 };
  walkNodes(walk, nodes, { ...variables }, ["architecture", "nodes"], false);
  const { components, constraints, sparse, aliases } = walk;
  return { components, constraints, sparse, aliases };
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
