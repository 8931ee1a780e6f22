import { DovetailError, inputError } from "@dovetail/core";
import { checkDocument } from "@dovetail/hardware";
import { parse } from "yaml";
import { type Recipe, recipeSchema } from "./schema.js";

/** What the command line changes in a recipe. */
export interface Overrides {
  readonly seed?: number | undefined;
  /** Assignments such as `effort.searchSteps=10`. */
  readonly set?: readonly string[] | undefined;
}

type Fields = { [name: string]: unknown };

/**
 * A recipe's text with overrides. The text itself has been read without complaint before, so whatever is wrong now is
 * the overrides' fault. Throws input errors that name the option.
 */
export function overrideRecipe(text: string, { seed, set = [] }: Overrides): Recipe {
  let fields = parse(text) as Fields;
  for (const assignment of set) fields = assign(fields, assignment);
  if (seed !== undefined) fields = { ...fields, seed };
  try {
    return checkDocument<Recipe>(recipeSchema, fields);
  } catch (error) {
    if (!(error instanceof DovetailError)) throw error;
    throw new DovetailError(
      error.diagnostics.map((diagnostic) => ({ ...diagnostic, file: optionFor(diagnostic.path ?? [], set) })),
    );
  }
}

/** The option that a complaint about a field is due to. */
function optionFor(path: readonly (string | number)[], set: readonly string[]): string {
  const field = path.join(".");
  const culprit = set.find((assignment) => {
    const [name = ""] = assignment.split("=", 1);
    return field === name || field.startsWith(`${name}.`) || name.startsWith(`${field}.`);
  });
  return `--set ${culprit ?? set.join(" --set ")}`;
}

function assign(fields: Fields, assignment: string): Fields {
  const match = /^([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)=(.*)$/s.exec(assignment);
  if (!match) {
    throw inputError("override_syntax", "not an assignment", {
      file: "--set",
      expected: "FIELD=VALUE, such as effort.searchSteps=10",
      received: assignment,
    });
  }
  return withField(fields, match[1]!.split("."), parseValue(match[2]!, assignment));
}

function parseValue(text: string, assignment: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw inputError("override_syntax", "the value is not YAML", {
      file: `--set ${assignment}`,
      received: (error as Error).message.split("\n")[0],
    });
  }
}

function withField(fields: Fields, [name, ...rest]: readonly string[], value: unknown): Fields {
  const before = Object.hasOwn(fields, name!) ? fields[name!] : undefined;
  const inner = typeof before === "object" && before !== null && !Array.isArray(before) ? (before as Fields) : {};
  return { ...fields, [name!]: rest.length === 0 ? value : withField(inner, rest, value) };
}
