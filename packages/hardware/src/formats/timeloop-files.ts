import { inputError, withPlace } from "@dovetail/core";
import { type Document, type LineCounter, visit } from "yaml";
import * as z from "zod";
import { placeIn, readDocument } from "../documents/document.js";
import { timeloopProblemSchema } from "./timeloop.js";
import { type TimeloopSparse, timeloopSparseSchema } from "./timeloop-sparse.js";

// The files of Timeloop 0.4 as they lie on disk: one processed input with everything in it, or an architecture, a problem,
// a mapping and constraints apart. Each file is a map of sections; together they must have every section once.

/** A file that was read. */
export interface TimeloopFile {
  readonly file: string;
  readonly text: string;
}

/** Under this key a map has its tag, such as `!Container`. */
export const TAG = "!tag";

const attributesSchema = z.record(z.string(), z.unknown()).nullish();
const namesSchema = z.array(z.string()).nullish();

/** A loop constraint, or a directive of a mapping; which fields count its type says. */
export const directiveSchema = z.strictObject({
  [TAG]: z.string().optional(),
  target: z.union([z.string(), z.int().nonnegative()]).optional(),
  type: z.string().optional(),
  factors: z.union([z.string(), z.array(z.string())]).nullish(),
  factors_only: z.union([z.string(), z.array(z.string())]).nullish(),
  permutation: z.union([z.string(), z.array(z.string())]).nullish(),
  split: z.int().nonnegative().nullish(),
  keep: namesSchema,
  keep_only: namesSchema,
  bypass: namesSchema,
  no_iteration_over_dataspaces: namesSchema,
  must_iterate_over_dataspaces: namesSchema,
  no_reuse: namesSchema,
  no_link_transfer: namesSchema,
  no_multicast_no_reduction: namesSchema,
  no_temporal_reuse: namesSchema,
  rmw_first_update: namesSchema,
  no_coalesce: namesSchema,
  maximize_dims: z.array(z.array(z.string())).nullish(),
  maximize_dims_capacity: z.unknown().optional(),
  min: z.number().min(0).max(1).nullish(),
  remainders: z.int().nullish(),
  default_max_factor: z.int().nullish(),
  default_min_factor: z.int().nullish(),
});

export type Directive = z.infer<typeof directiveSchema>;

const targetsSchema = z.union([
  z.array(directiveSchema),
  z.object({ targets: z.array(directiveSchema).nullish(), version: z.unknown().optional() }),
]);

/** A component of a tree of subtrees; `name` may have a range. */
export const localSchema = z.object({
  name: z.string(),
  class: z.string(),
  attributes: attributesSchema,
  enabled: z.boolean().optional(),
});

export interface Subtree {
  readonly name: string;
  readonly attributes?: Record<string, unknown> | null | undefined;
  readonly local?: readonly z.infer<typeof localSchema>[] | null | undefined;
  readonly subtree?: readonly Subtree[] | null | undefined;
}

const subtreeSchema: z.ZodType<Subtree> = z.lazy(() =>
  z.object({
    name: z.string(),
    attributes: attributesSchema,
    local: z.array(localSchema).nullish(),
    subtree: z.array(subtreeSchema).nullish(),
  }),
);

const meshSchema = z.union([z.number(), z.string()]).optional();

/** A node of the tagged form: a component (it has a class), a container, or a branch (it has nodes). */
export interface ArchitectureNode {
  readonly [TAG]?: string | undefined;
  readonly name?: string | undefined;
  readonly class?: string | undefined;
  readonly attributes?: Record<string, unknown> | null | undefined;
  readonly spatial?:
    | { readonly meshX?: number | string | undefined; readonly meshY?: number | string | undefined }
    | null
    | undefined;
  readonly constraints?: Readonly<Record<string, Directive | null | undefined>> | null | undefined;
  readonly sparse_optimizations?: unknown;
  readonly enabled?: boolean | undefined;
  readonly nodes?: readonly ArchitectureNode[] | undefined;
}

const nodeSchema: z.ZodType<ArchitectureNode> = z.lazy(() =>
  z.object({
    [TAG]: z.string().optional(),
    name: z.string().optional(),
    class: z.string().optional(),
    attributes: attributesSchema,
    spatial: z.object({ meshX: meshSchema, meshY: meshSchema }).nullish(),
    constraints: z.record(z.string(), directiveSchema.nullish()).nullish(),
    sparse_optimizations: z.unknown().optional(),
    enabled: z.boolean().optional(),
    nodes: z.array(nodeSchema).optional(),
  }),
);

const architectureSchema = z.object({
  subtree: z.array(subtreeSchema).min(1).optional(),
  nodes: z.array(nodeSchema).min(1).optional(),
});

const energyTableSchema = z.object({
  name: z.string(),
  actions: z.array(z.object({ name: z.string(), energy: z.number() })).default([]),
});

const tablesSchema = <T extends z.ZodType>(table: T) => z.object({ tables: z.array(table) });

/** Sections that say how to search and how to estimate: read and left. */
const ignored = [
  "mapper",
  "mapspace",
  "globals",
  "components",
  "compound_components",
  "dumped_by_timeloop_front_end",
  "version",
  "ERT_summary",
  "ART_summary",
] as const;

const fileSchema = z.strictObject({
  architecture: architectureSchema.optional(),
  problem: timeloopProblemSchema.optional(),
  mapping: targetsSchema.nullish(),
  constraints: targetsSchema.nullish(),
  architecture_constraints: targetsSchema.nullish(),
  mapspace_constraints: targetsSchema.nullish(),
  extra_mapping_constraints: targetsSchema.nullish(),
  sparse_optimizations: timeloopSparseSchema.optional(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  ERT: tablesSchema(energyTableSchema).optional(),
  ART: tablesSchema(z.object({ name: z.string(), area: z.number().nonnegative() })).optional(),
  ...Object.fromEntries(ignored.map((name) => [name, z.unknown().optional()])),
});

type FileSections = {
  readonly [Section in
    | "architecture"
    | "problem"
    | "mapping"
    | "constraints"
    | "architecture_constraints"
    | "mapspace_constraints"
    | "extra_mapping_constraints"
    | "sparse_optimizations"
    | "variables"
    | "ERT"
    | "ART"]?: z.infer<(typeof fileSchema)["shape"][Section]>;
};

/** A directive with where it stands, for messages. */
export interface PlacedDirective {
  readonly directive: Directive;
  readonly path: readonly (string | number)[];
}

/** All sections of all files. */
export interface TimeloopSections {
  readonly architecture: z.infer<typeof architectureSchema> | undefined;
  readonly problem: z.infer<typeof timeloopProblemSchema> | undefined;
  /** In the order of the files. */
  readonly mapping: readonly PlacedDirective[];
  readonly constraints: readonly PlacedDirective[];
  readonly sparse: TimeloopSparse | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Energies by component and action, pJ; undefined when no file has a table. */
  readonly energies: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** Areas by component, µm². */
  readonly areas: Readonly<Record<string, number>>;
  /** What `work` gives; its errors get the file, line and column of what their path names. */
  placed<T>(work: () => T): T;
}

interface ReadFile {
  readonly file: string;
  readonly sections: FileSections;
  readonly tree: Document;
  readonly lines: LineCounter;
}

const constraintSections = [
  "architecture_constraints",
  "constraints",
  "mapspace_constraints",
  "extra_mapping_constraints",
] as const;

/**
 * Reads the files. A section may stand in one file only, but for constraints and variables, which add up.
 *
 * @throws DovetailError with file, line and field of everything that is wrong.
 */
export function readTimeloopFiles(files: readonly TimeloopFile[]): TimeloopSections {
  const read = files.map(readFile);
  const only = <Section extends keyof FileSections>(section: Section): FileSections[Section] | undefined => {
    const [first, second] = read.filter(
      ({ sections }) => sections[section] !== undefined && sections[section] !== null,
    );
    if (second === undefined) return first?.sections[section];
    throw inputError("timeloop_section", "two files have this section", {
      file: second.file,
      ...placeIn(second.tree, second.lines, [section], true),
      path: [section],
      expected: `it in ${first!.file} only`,
    });
  };
  const directives = (sections: readonly (keyof FileSections)[]): PlacedDirective[] =>
    read.flatMap((entry) => sections.flatMap((section) => placedDirectives(entry.sections, section)));
  const energies = only("ERT");
  return {
    architecture: only("architecture"),
    problem: only("problem"),
    mapping: directives(["mapping"]),
    constraints: directives(constraintSections),
    sparse: only("sparse_optimizations"),
    variables: Object.assign({}, ...read.map(({ sections }) => sections.variables ?? {})) as Record<string, unknown>,
    energies:
      energies &&
      Object.fromEntries(
        energies.tables.map(({ name, actions }) => [
          componentName(name),
          Object.fromEntries(actions.map((action) => [action.name, action.energy])),
        ]),
      ),
    areas: Object.fromEntries((only("ART")?.tables ?? []).map(({ name, area }) => [componentName(name), area])),
    placed: (work) => {
      try {
        return work();
      } catch (error) {
        throw placeError(read, error);
      }
    },
  };
}

function readFile({ file, text }: TimeloopFile): ReadFile {
  refuseTemplate(file, text);
  let seen: { readonly tree: Document; readonly lines: LineCounter } | undefined;
  const sections = readDocument(fileSchema as z.ZodType<FileSections>, text, {
    file,
    merge: true,
    prepare: (tree, lines) => {
      seen = { tree, lines };
      keepTags(tree);
    },
  });
  return { file, sections, ...seen! };
}

/** `!Container` and the like become a field of their map, since values have no tags. */
function keepTags(tree: Document): void {
  visit(tree, {
    Map(_, node) {
      if (node.tag?.startsWith("!") === true && !node.tag.startsWith("!!")) node.set(TAG, node.tag.slice(1));
    },
  });
}

/** Templates are programs; what they come to is a file of its own. */
function refuseTemplate(file: string, text: string): void {
  const at = text.search(/\{\{|\{%/);
  if (at < 0) return;
  throw inputError("timeloop_template", "this is a Jinja template: render it first", {
    file,
    line: text.slice(0, at).split("\n").length,
    received: text.slice(at, at + 40).split("\n")[0],
    hint: "Timeloop's front end writes the rendered file as parsed-processed-input.yaml",
  });
}

function placedDirectives(sections: FileSections, section: keyof FileSections): PlacedDirective[] {
  const value = sections[section] as z.infer<typeof targetsSchema> | null | undefined;
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : (value.targets ?? []);
  const path = Array.isArray(value) ? [section] : [section, "targets"];
  return list.map((directive, index) => ({ directive, path: [...path, index] }));
}

/** The file is the one that has the path's section. */
function placeError(files: readonly ReadFile[], error: unknown): unknown {
  const path = pathOf(error);
  const [section] = path;
  const found = files.find(({ sections }) => typeof section === "string" && section in sections) ?? files[0];
  if (found === undefined) return error;
  return withPlace(error, { file: found.file, ...placeIn(found.tree, found.lines, path) });
}

function pathOf(error: unknown): readonly (string | number)[] {
  const diagnostics = (error as { readonly diagnostics?: readonly { readonly path?: readonly (string | number)[] }[] })
    .diagnostics;
  return diagnostics?.[0]?.path ?? [];
}

/** `weights` of `system_top_level.PE.weights[1..168]`. */
export function componentName(qualified: string): string {
  return qualified.replace(/\[[^\]]*\]$/, "").replace(/^.*\./, "");
}
