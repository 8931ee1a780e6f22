import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readArchitecture, readMapping, readProblem } from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import { parseRecipe } from "../recipes/read-recipe.js";
import { runCommand } from "../testing/run-command.js";

// The guides hold what they say: links, options, documents and outputs that stand in them.

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const pages = [
  "README.md",
  "examples/README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`),
].sort();

const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

/** Code blocks of a language. */
function blocks(page: string, language: string): string[] {
  return [...textOf(page).matchAll(/^```(\S*)\n(.*?)^```$/gms)].flatMap(([, of, block]) =>
    of === language ? [block!] : [],
  );
}

describe.each(pages)("%s", (page) => {
  it("links to what there is", () => {
    const targets = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const local = targets.filter((target) => !/^[a-z]+:/.test(target)).map((target) => target.split("#")[0]!);
    expect(local.filter((target) => target !== "" && !existsSync(join(root, dirname(page), target)))).toEqual([]);
  });

  // The page of errors shows wrong commands on purpose.
  it.skipIf(page === "docs/errors.md")("gives no command an option that it has not", async () => {
    const commands = [
      ...blocks(page, "sh").flatMap((block) => block.split("\n")),
      ...[...textOf(page).matchAll(/`(dovetail [^`]+)`/g)].map(([, command]) => command!),
    ].filter((line) => line.startsWith("dovetail "));
    for (const command of commands) {
      const [line = ""] = command.split(" #");
      const words = line.split(/\s+/).slice(1);
      const name = ["data", "hwnas", "run"].includes(words[0]!) ? words.slice(0, 2) : words.slice(0, 1);
      if (name.some((word) => !/^[a-z]+$/.test(word))) continue;
      const help = await runCommand([...name, "--help"]);
      expect({ command, exitCode: help.exitCode }).toEqual({ command, exitCode: 0 });
      for (const option of line.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? []) expect(help.stdout, command).toContain(option);
    }
  });
});

describe("docs/tutorials/your-own-accelerator.md", () => {
  const page = "docs/tutorials/your-own-accelerator.md";
  const [problem = "", architecture = "", mapping = ""] = blocks(page, "yaml");
  const file = (name: string): string => `examples/hardware/${name}.yaml`;

  it("shows the example's documents", () => {
    expect(readProblem(problem)).toEqual(readProblem(textOf(file("conv3x3"))));
    expect(readMapping(mapping)).toEqual(readMapping(textOf(file("weight-stationary"))));
    const { constraints: _, ...whole } = readArchitecture(textOf(file("small-8x8")));
    expect(readArchitecture(architecture)).toEqual(whole);
  });

  it("shows what the commands print", async () => {
    const documents = ["--problem", "conv3x3", "--arch", "small-8x8", "--mapping", "weight-stationary"];
    const argv = ["cost", ...documents.map((word) => (word.startsWith("--") ? word : join(root, file(word))))];
    const [cost = "", explanation = ""] = blocks(page, "");
    expect((await runCommand(argv)).stdout).toContain(cost);
    expect((await runCommand([...argv, "--explain", "DRAM.Inputs.reads"])).stdout).toBe(explanation);
  });

  it("names every field of an architecture", () => {
    const schema = JSON.parse(textOf("docs/schemas/architecture.schema.json")) as object;
    const fields = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (key === "properties") for (const name of Object.keys(inner as object)) fields.add(name);
        collect(inner);
      }
    };
    collect(schema);
    expect(fields.size).toBeGreaterThan(20);
    expect([...fields].filter((name) => !textOf(page).includes(name))).toEqual([]);
  });
});

it.each(["docs/tutorials/recipes.md", "docs/tutorials/your-own-data.md"])("the recipe in %s is one", (page) => {
  for (const block of blocks(page, "yaml")) expect(() => parseRecipe(block, page)).not.toThrow();
});
