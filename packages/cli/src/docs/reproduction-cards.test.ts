import { existsSync, readFileSync } from "node:fs";
import { cardSchema, reproductions } from "@dovetail/systems";
import { describe, expect, it } from "vitest";
import { heldClaims, renderCard } from "../reproductions/render.js";

const root = new URL("../../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const made = Object.keys(reproductions).filter((system) =>
  existsSync(new URL(`docs/reproductions/${system}.json`, root)),
);

describe.each(made)("the reproduction card of %s", (system) => {
  const card = cardSchema.parse(JSON.parse(read(`docs/reproductions/${system}.json`)));

  it("is the full run's, and its page says what its data say", () => {
    expect(card.scale).toBe("full");
    expect(read(`docs/reproductions/${system}.md`)).toBe(renderCard(card));
  });

  it("names at least three things that were tried for every claim that does not hold", () => {
    const failed = card.claims.filter(({ held }) => !held);
    expect(failed.filter(({ tried }) => tried.length < 3).map(({ text }) => text)).toEqual([]);
  });

  it("is linked from the README, which says how many claims held", () => {
    const { held, total } = heldClaims(card);
    expect(read("README.md")).toContain(`${held} of ${total} claims held: [card](docs/reproductions/${system}.md)`);
  });
});
