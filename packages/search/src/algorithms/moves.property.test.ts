import { createRandomStream } from "@dovetail/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { drawChoices, mutate, neighbours } from "./moves.js";

const spaces = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });

it("a mutation is a neighbour, and neighbours are distinct, inside the space, and know each other", () => {
  fc.assert(
    fc.property(spaces, fc.nat(), (counts, seed) => {
      const random = createRandomStream(seed);
      const choices = drawChoices(counts, random);
      const around = neighbours(choices, counts);
      const keys = new Set(around.map(String));
      expect(keys.size).toBe(around.length);
      for (const neighbour of around) {
        expect(neighbour).not.toEqual(choices);
        expect(neighbour.every((choice, position) => choice >= 0 && choice < counts[position]!)).toBe(true);
        expect(neighbours(neighbour, counts).map(String)).toContain(String(choices));
      }
      const changed = mutate(choices, counts, random);
      expect(keys.has(String(changed)) || counts.every((count) => count === 1)).toBe(true);
    }),
  );
});
