import * as z from "zod";
import { timeloopProblemSchema } from "./timeloop.js";
import { timeloopSparseSchema } from "./timeloop-sparse.js";

// The sections that a file of Timeloop may have.

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

export const targetsSchema = z.union([
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

export const architectureSchema = z.object({
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

/** A file: a map of sections. */
export const fileSchema = z.strictObject({
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

export type FileSections = {
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
