import { trainingMethodSchema } from "@dovetail/systems";
import { expect, it } from "vitest";
import { type Field, formsOf, inputTable } from "./testing/fields.js";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

const forms = [...formsOf(trainingMethodSchema, "input")];
const kindOf = (fields: readonly Field[]): Field => fields.find(({ name }) => name === "kind")!;
const optionsOf = (fields: readonly Field[]): Field[] => fields.filter(({ name }) => name !== "kind");

it("docs/tutorials/training-methods.md has every method with every option", async () => {
  const withOptions = forms.filter(([, fields]) => optionsOf(fields).length > 0);
  const page = pageWithTables("tutorials/training-methods.md", {
    methods: markdownTable(
      ["method", "what it does"],
      forms.map(([kind, fields]) => [`\`${kind}\``, kindOf(fields).description]),
    ),
    ...Object.fromEntries(withOptions.map(([kind, fields]) => [kind, inputTable(optionsOf(fields))])),
  });
  await expect(page).toMatchFileSnapshot(pageFile("tutorials/training-methods.md"));
});

it("every method says what it does", () => {
  expect(forms.filter(([, fields]) => kindOf(fields).description === "").map(([kind]) => kind)).toEqual([]);
});
