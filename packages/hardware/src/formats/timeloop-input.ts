import { inputError } from "@dovetail/core";
import type { Architecture, ArchitectureLevel } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import type { Problem } from "../workload/problem.js";
import { importTimeloopArchitecture, importTimeloopProblem } from "./timeloop.js";
import { flattenTimeloop } from "./timeloop-architecture.js";
import type { DirectiveContext } from "./timeloop-directives.js";
import { readTimeloopFiles, type TimeloopFile, type TimeloopSections } from "./timeloop-files.js";
import { constraintsOfDirectives, levelsWithoutLinks, mappingOfDirectives } from "./timeloop-mapping.js";
import { type TimeloopSparse, timeloopSparseSchema } from "./timeloop-sparse.js";

/** An input of Timeloop in our documents. */
export interface TimeloopInput {
  readonly problem: Problem;
  readonly architecture: Architecture;
  /** Where a file has one. */
  readonly mapping: Mapping | undefined;
  /**
   * The architecture with the constraints of all files, for a search.
   *
   * @throws DovetailError for a constraint that our mapspace cannot hold, such as a bound on a factor.
   */
  constrained(): Architecture;
}

/**
 * Problem, architecture, constraints and mapping from Timeloop 0.4's files, with energies from an ERT and areas from an
 * ART. Components of which no energy is given are refused: none is invented.
 *
 * @throws DovetailError with file, line and field.
 */
export function readTimeloop(files: readonly TimeloopFile[]): TimeloopInput {
  const sections = readTimeloopFiles(files);
  return sections.placed(() => {
    const problem = problemOf(sections);
    const flat = flattenTimeloop(sections);
    const sparse = sparseOf(sections, flat.sparse);
    const { name } = problem;
    const bare = importTimeloopArchitecture(name, flat.components, energiesOf(sections, flat.components), sparse);
    const linked = withAreas(withClock(bare, sections), sections.areas);
    const context: DirectiveContext = {
      dimensions: problem.dimensions,
      tensors: problem.dataSpaces.map((space) => space.name),
      levels: linked.levels.map((level) => level.name),
      aliases: flat.aliases,
    };
    const constraints = [...flat.constraints, ...sections.constraints];
    const architecture = withoutLinks(linked, levelsWithoutLinks([...constraints, ...sections.mapping], context));
    const relevant = (tensor: string, dimension: string): boolean =>
      problem.dataSpaces
        .find((space) => space.name === tensor)!
        .projection.some((rank) => rank.some((term) => term.dimension === dimension));
    const wordBits = architecture.levels.find(({ storage }) => storage)?.storage?.wordBits;
    const trivial = sparse.targets.length > 0;
    return {
      problem: wordBits === undefined ? problem : withBits(problem, wordBits),
      architecture,
      mapping:
        sections.mapping.length === 0
          ? undefined
          : mappingOfDirectives(constraints, sections.mapping, architecture, context, trivial),
      constrained: () =>
        sections.placed(() => ({
          ...architecture,
          constraints: constraintsOfDirectives(constraints, architecture, context, relevant),
        })),
    };
  });
}

function problemOf({ problem }: TimeloopSections): Problem {
  if (problem !== undefined) return importTimeloopProblem(problem);
  throw missing("problem", "a problem with a shape and an instance");
}

function missing(section: string, expected: string): Error {
  return inputError("timeloop_section", "no file has this section", { path: [section], expected });
}

function energiesOf(
  { energies }: TimeloopSections,
  components: readonly { readonly name: string; readonly class: string }[],
): Readonly<Record<string, Record<string, number>>> {
  if (energies === undefined) {
    throw missing("ERT", "the table of energies that Accelergy writes (timeloop-model.ERT.yaml)");
  }
  const without = components.find(
    ({ name, class: kind }) => kind !== "dummy_storage" && !Object.hasOwn(energies, name),
  );
  if (without === undefined) return energies;
  throw inputError("timeloop_energy", "the table of energies lacks a component", {
    path: ["ERT", "tables"],
    expected: `one of ${without.name}`,
    received: Object.keys(energies).join(", "),
  });
}

/** Of the section, and of what stands at the components. */
function sparseOf({ sparse }: TimeloopSections, atNodes: readonly unknown[]): TimeloopSparse {
  const parsed = timeloopSparseSchema.safeParse({ targets: atNodes });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw inputError("timeloop_sparse", `sparse_optimizations at a component: ${issue?.message.toLowerCase()}`, {
      path: ["architecture"],
      received: issue?.path.join("."),
    });
  }
  return { targets: [...parsed.data.targets, ...(sparse?.targets ?? [])] };
}

function withoutLinks(architecture: Architecture, names: ReadonlySet<string>): Architecture {
  return {
    ...architecture,
    levels: architecture.levels.map((level) =>
      level.fanout === undefined || !names.has(level.name)
        ? level
        : { ...level, fanout: { ...level.fanout, neighbourLinks: false } },
    ),
  };
}

function withBits(problem: Problem, bitWidth: number): Problem {
  return { ...problem, dataSpaces: problem.dataSpaces.map((space) => ({ ...space, bitWidth })) };
}

function withClock(architecture: Architecture, { variables, architecture: section }: TimeloopSections): Architecture {
  const seconds = variables.global_cycle_seconds ?? section?.subtree?.[0]?.attributes?.global_cycle_seconds;
  if (typeof seconds !== "number" || !(seconds > 0)) return architecture;
  return { ...architecture, clockMhz: Math.round((1e-6 / seconds) * 1e6) / 1e6 };
}

function withAreas(architecture: Architecture, areas: Readonly<Record<string, number>>): Architecture {
  const { compute, levels } = architecture;
  return {
    ...architecture,
    levels: levels.map((level): ArchitectureLevel => {
      const areaUm2 = Object.hasOwn(areas, level.name) ? areas[level.name] : undefined;
      if (level.storage === undefined || areaUm2 === undefined) return level;
      return { ...level, storage: { ...level.storage, areaUm2 } };
    }),
    compute: { ...compute, ...(Object.hasOwn(areas, compute.name) && { areaUm2: areas[compute.name] }) },
  };
}
