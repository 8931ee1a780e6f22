import { inputError } from "@dovetail/core";
import type { TimeloopComponent } from "./timeloop.js";
import { componentOf, computeClasses, kindOf, unsupported } from "./timeloop-component.js";
import type { TimeloopSections } from "./timeloop-files.js";
import { type FlatArchitecture, flattenNodes } from "./timeloop-nodes.js";
import type { Subtree } from "./timeloop-sections.js";

// Both forms of an architecture, as the flat list of components that the importer takes: a tree of subtrees whose names
// carry ranges, or a list of tagged nodes whose fan-outs stand in `spatial`.

type Path = readonly (string | number)[];

/** The components of an input. Throws DovetailError with the path of what is wrong. */
export function flattenTimeloop(sections: TimeloopSections): FlatArchitecture {
  const { architecture, variables } = sections;
  if (architecture?.subtree !== undefined) return flattenSubtrees(architecture.subtree, variables);
  if (architecture?.nodes !== undefined) {
    const flat = flattenNodes(architecture.nodes, variables);
    return { ...flat, components: computeLast(flat.components) };
  }
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
