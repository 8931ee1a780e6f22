import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DovetailError } from "@dovetail/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { locateRecipe } from "./locate.js";
import { overrideRecipe } from "./overrides.js";
import { loadRecipe, parseRecipe, printRecipe } from "./read-recipe.js";

const shipped = new URL("../../../../recipes/", import.meta.url);

async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof DovetailError) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-recipes-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("the recipes that come with Dovetail", () => {
  it("are read without complaint, are named after their files, and point editors to the schema", async () => {
    const files = (await readdir(shipped)).filter((file) => file.endsWith(".yaml"));
    expect(files.sort()).toEqual(["asic-cifar10.yaml", "fpga-cifar10.yaml", "quickstart.yaml", "tiny.yaml"]);
    for (const file of files) {
      const text = readFileSync(new URL(file, shipped), "utf8");
      expect(text.split("\n", 1)[0]).toBe("# yaml-language-server: $schema=recipe.schema.json");
      expect(`${parseRecipe(text, file).name}.yaml`).toBe(file);
    }
  });

  it("are found by name from anywhere, quickstart when none is named", async () => {
    expect((await locateRecipe()).shown).toBe("recipes/quickstart.yaml");
    for (const name of ["tiny", "tiny.yaml", "recipes/tiny.yaml"]) {
      expect((await locateRecipe(name)).shown).toBe("recipes/tiny.yaml");
    }
    expect(await messageOf(() => locateRecipe("quikstart"))).toBe(
      "quikstart: no such recipe: expected a file, or one of asic-cifar10, fpga-cifar10, quickstart, tiny " +
        "(did you mean quickstart?)",
    );
  });
});

describe("reading a recipe", () => {
  const tiny = readFileSync(new URL("tiny.yaml", shipped), "utf8");

  it("fills in what is not said, and says it when the recipe is written", () => {
    const recipe = parseRecipe(tiny, "tiny.yaml");
    expect(recipe).toMatchObject({ seed: 0, target: { clockHz: 200e6 }, precision: { weightBits: 8 } });
    expect(parseRecipe(printRecipe(recipe), "recipe.yaml")).toEqual(recipe);
  });

  it("places what is wrong", async () => {
    const path = join(folder, "mine.yaml");
    await writeFile(path, tiny.replace("searchSteps: 8", "searchStep: 8").replace("objective: edp", "objective: fast"));
    const message = await messageOf(() => loadRecipe(path));
    expect(message).toContain(`${path}:14:12: objective: wrong value: expected one of edp, framesPerSecond`);
    expect(message).toMatch(/mine\.yaml:19:3: effort\.searchStep: unknown field: .*\(did you mean searchSteps\?\)/);
  });

  it("refuses objectives and constraints of the other kind of target", async () => {
    const text = tiny.replace("areaMm2: reference", "dsp: 900").replace("objective: edp", "objective: framesPerSecond");
    const message = await messageOf(() => parseRecipe(text, "r.yaml"));
    expect(message).toContain("objective: not the objective of this target (asic): expected edp");
    expect(message).toContain("constraints.dsp: this target (asic) has no such figure");
  });

  it("takes overrides from the command line, and blames them for what they break", async () => {
    const recipe = overrideRecipe(tiny, { seed: 7, set: ["effort.searchSteps=3", "constraints.areaMm2=1.5"] });
    expect(recipe).toMatchObject({
      seed: 7,
      effort: { searchSteps: 3, warmUpSteps: 4 },
      constraints: { areaMm2: 1.5 },
    });
    expect(await messageOf(() => overrideRecipe(tiny, { set: ["effort.searchSteps=many"] }))).toBe(
      '--set effort.searchSteps=many: effort.searchSteps: wrong type: expected a number, received "many"',
    );
    expect(await messageOf(() => overrideRecipe(tiny, { set: ["effort.serchSteps=3"] }))).toContain(
      "(did you mean searchSteps?)",
    );
    expect(await messageOf(() => overrideRecipe(tiny, { set: ["searchSteps"] }))).toContain("--set: not an assignment");
  });
});
