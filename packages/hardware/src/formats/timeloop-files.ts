import { inputError, withPlace } from "@dovetail/core";
import { type Document, type LineCounter, visit } from "yaml";
import type * as z from "zod";
import { placeIn, readDocument } from "../documents/document.js";
import type { TimeloopProblem } from "./timeloop.js";
import {
  type architectureSchema,
  type Directive,
  type FileSections,
  fileSchema,
  TAG,
  type targetsSchema,
} from "./timeloop-sections.js";
import type { TimeloopSparse } from "./timeloop-sparse.js";

// The files of Timeloop 0.4 as they lie on disk: one processed input with everything in it, or an architecture, a problem,
// a mapping and constraints apart. Each file is a map of sections; together they must have every section once.

/** A file that was read. */
export interface TimeloopFile {
  readonly file: string;
  readonly text: string;
}

/** A directive with where it stands, for messages. */
export interface PlacedDirective {
  readonly directive: Directive;
  readonly path: readonly (string | number)[];
}

/** All sections of all files. */
export interface TimeloopSections {
  readonly architecture: z.infer<typeof architectureSchema> | undefined;
  readonly problem: TimeloopProblem | undefined;
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
