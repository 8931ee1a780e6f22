// For tests only: bad recipes.
import { type BadInputs, file } from "./bad-input.js";

const recipe = `name: mine
data:
  kind: idx
  path: images
target:
  kind: asic
objective: edp
effort:
  trainingMacs: 1.0e+9
  searchSteps: 2
`;

const changed = (from: string, to: string): (() => void) => file("mine.yaml", recipe.replace(from, to));
const search = "search mine.yaml --run-folder run";

export const badRecipes: BadInputs = {
  title: "Recipes",
  inputs: [
    { what: "no such recipe", line: "search quickstrat", exitCode: 2 },
    { what: "unknown field", prepare: changed("searchSteps", "serchSteps"), line: search, exitCode: 2 },
    { what: "wrong type", prepare: changed("1.0e+9", "a lot"), line: search, exitCode: 2 },
    { what: "value out of range", prepare: changed("searchSteps: 2", "searchSteps: 0"), line: search, exitCode: 2 },
    { what: "wrong choice", prepare: changed("kind: asic", "kind: asics"), line: search, exitCode: 2 },
    { what: "missing field", prepare: changed("objective: edp\n", ""), line: search, exitCode: 2 },
    {
      what: "objective of another target",
      prepare: changed("objective: edp", "objective: framesPerSecond"),
      line: search,
      exitCode: 2,
    },
    {
      what: "constraint of another target",
      prepare: changed("objective", "constraints: { dsp: 900 }\nobjective"),
      line: search,
      exitCode: 2,
    },
    {
      what: "two fields that exclude each other",
      prepare: changed("path: images", "validationFraction: 0.1\n  validationImagesPerClass: 3"),
      line: search,
      exitCode: 2,
    },
    { what: "YAML that is broken", prepare: changed("kind: asic", "kind: [asic"), line: search, exitCode: 2 },
    {
      what: "a field twice",
      prepare: changed("objective: edp", "objective: edp\nobjective: edp"),
      line: search,
      exitCode: 2,
    },
    { what: "an empty file", prepare: file("mine.yaml", ""), line: search, exitCode: 2 },
    {
      what: "a file that is no text",
      prepare: file("mine.yaml", Uint8Array.of(0x80, 0xff, 0xfe)),
      line: search,
      exitCode: 2,
    },
    {
      what: "aliases that multiply",
      prepare: file("mine.yaml", `a: &a [x, x, x, x, x, x, x, x, x]\n${bomb()}`),
      line: search,
      exitCode: 2,
    },
    {
      what: "`--set` of an unknown field",
      line: "search tiny --run-folder run --set effort.serchSteps=3",
      exitCode: 2,
    },
    {
      what: "`--set` with a wrong value",
      line: "search tiny --run-folder run --set effort.searchSteps=many",
      exitCode: 2,
    },
    { what: "`--set` without a value", line: "search tiny --run-folder run --set effort.searchSteps", exitCode: 2 },
  ],
};

function bomb(): string {
  return ["b", "c", "d", "e", "f", "g"]
    .map((name, index) => `${name}: &${name} [${`*${"abcdef"[index]}, `.repeat(9)}x]`)
    .join("\n");
}
