// Writes the published JSON Schemas: `node packages/cli/dist/schemas/write.js`, from the root of the repository, and then
// `npm run format`.
import { writeFileAtomically } from "@dovetail/train";
import { publishedSchemas } from "./published.js";

for (const [path, schema] of publishedSchemas) await writeFileAtomically(path, `${JSON.stringify(schema, null, 2)}\n`);
