// A layer, an architecture and a mapping, one or two of them mutated, through `cost`; or an architecture through `map`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mutateText } from "./mutations.mjs";

const parts = ["problem", "architecture", "mapping"];
const models = ["timeloop", "exact"];
const mappers = ["evolutionary", "evolutionary", "exact", "gradient", "random", "exhaustive"];
const counts = ["DRAM.Inputs.reads", "DRAM.Outputs.updates", "DRAM.Weights.fills"];

export function documentCase({ documents, network }, random, folder) {
  const base = documents[random.integer(documents.length)];
  const changed = { ...base };
  for (const part of parts) if (random.integer(2) === 0) changed[part] = mutateText(base[part], random);
  if (parts.every((part) => changed[part] === base[part])) changed.mapping = mutateText(base.mapping, random);
  const paths = Object.fromEntries(parts.map((part) => [part, join(folder, `${part}.yaml`)]));
  for (const part of parts) writeFileSync(paths[part], changed[part]);
  const model = models[random.integer(2)];
  if (random.integer(6) === 0) {
    const mapper = mappers[random.integer(mappers.length)];
    const search = ["--mapper", mapper, "--evaluations", "20", "--seed", String(random.integer(100))];
    // Proofs are of the model timeloop.
    const model = mapper === "exact" ? "timeloop" : models[random.integer(2)];
    if (mapper === "exact") search.push("--nodes", "300");
    const argv = [
      "map",
      "--network",
      network,
      "--arch",
      paths.architecture,
      ...search,
      "--model",
      model,
      "--json",
      "--quiet",
    ];
    return { kind: "network", argv, network, architecture: changed.architecture, model };
  }
  const layer = ["cost", "--problem", paths.problem, "--arch", paths.architecture, "--mapping", paths.mapping];
  const how = random.integer(8);
  if (how === 0) return { kind: "none", argv: [...layer, "--compare"] };
  if (how === 1) {
    const count = counts[random.integer(counts.length)];
    return { kind: "none", argv: [...layer, "--model", model, "--explain", count] };
  }
  if (how === 2) return { kind: "none", argv: [...layer, "--model", model] };
  return { kind: "layer", argv: [...layer, "--model", model, "--json"], ...changed, model };
}
