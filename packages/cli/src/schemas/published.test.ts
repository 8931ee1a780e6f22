import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { publishedSchemas } from "./published.js";

const root = new URL("../../../../", import.meta.url);

it.each([...publishedSchemas])("%s is current (else: node packages/cli/dist/schemas/write.js)", (path, schema) => {
  expect(JSON.parse(readFileSync(new URL(path, root), "utf8"))).toEqual(JSON.parse(JSON.stringify(schema)));
});
