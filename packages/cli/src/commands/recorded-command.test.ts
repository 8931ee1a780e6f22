import { join } from "node:path";
import { Command } from "commander";
import { expect, it } from "vitest";
import { recordedCommand } from "./recorded-command.js";

function record(...line: string[]): string {
  let recorded = "";
  const search = new Command("search").argument("[recipe]").allowUnknownOption().allowExcessArguments();
  search.action((...rest: unknown[]) => {
    recorded = recordedCommand(rest.at(-1) as Command);
  });
  new Command("dovetail").addCommand(search).parse(["search", ...line], { from: "user" });
  return recorded;
}

it("records what the results depend on, and nothing else", () => {
  expect(record("tiny", "--seed", "3", "--run-folder", "x", "--quiet", "--json")).toBe("dovetail search tiny --seed 3");
  expect(record("--threads=2", "tiny", "--run-folder=x")).toBe("dovetail search tiny");
  expect(record("--set", "data.path=my images")).toBe("dovetail search --set 'data.path=my images'");
  expect(record(join(process.cwd(), "recipes", "mine.yaml"))).toBe("dovetail search recipes/mine.yaml");
  expect(record("/elsewhere/mine.yaml")).toBe("dovetail search /elsewhere/mine.yaml");
  expect(record("it's.yaml")).toBe("dovetail search 'it'\\''s.yaml'");
});
