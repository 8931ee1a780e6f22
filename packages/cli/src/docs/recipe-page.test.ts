import { coSearchOptionsSchema, fixedPrecisionSchema } from "@dovetail/systems";
import { datasetDescriptionSchema } from "@dovetail/train";
import { expect, it } from "vitest";
import { recipeSchema } from "../recipes/schema.js";
import { type Field, fieldsOf, formsOf, inputTable } from "./testing/fields.js";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

/** Fields that every kind of data set has. */
const splitNames = new Set([
  "trainImagesPerClass",
  "validationFraction",
  "validationImagesPerClass",
  "testImagesPerClass",
  "seed",
]);

function dataTables(): Record<string, string[]> {
  const forms = formsOf(datasetDescriptionSchema, "input");
  const own = [...forms].flatMap(([kind, fields]) =>
    fields
      .filter(({ name }) => name !== "kind" && !splitNames.has(name))
      .map((field) => ({ ...field, name: `${kind}: ${field.name}` })),
  );
  const [anyKind] = forms.values();
  return {
    "data kinds": markdownTable(
      ["kind", "what it is"],
      [...forms].map(([kind, fields]) => [`\`${kind}\``, descriptionOf(fields, "kind")]),
    ),
    "data fields": inputTable(own),
    split: inputTable(anyKind!.filter(({ name }) => splitNames.has(name))),
  };
}

function descriptionOf(fields: readonly Field[], name: string): string {
  return fields.find((field) => field.name === name)?.description ?? "";
}

function targetFields(): Field[] {
  return [...formsOf(coSearchOptionsSchema.shape.target, "input")].flatMap(([kind, fields]) =>
    fields.filter(({ name }) => name !== "kind").map((field) => ({ ...field, name: `${kind}: ${field.name}` })),
  );
}

it("docs/tutorials/recipes.md has every field of a recipe", async () => {
  const group = (name: "constraints" | "effort" | "search" | "training" | "baselines") =>
    inputTable(fieldsOf(coSearchOptionsSchema.shape[name], "input"));
  const top = fieldsOf(recipeSchema, "input").filter(({ name }) => !name.includes("."));
  const page = pageWithTables("tutorials/recipes.md", {
    recipe: inputTable(top),
    ...dataTables(),
    target: inputTable(targetFields()),
    constraints: group("constraints"),
    precision: inputTable(fieldsOf(fixedPrecisionSchema, "input")),
    effort: group("effort"),
    search: group("search"),
    training: group("training"),
    baselines: group("baselines"),
  });
  await expect(page).toMatchFileSnapshot(pageFile("tutorials/recipes.md"));
});
