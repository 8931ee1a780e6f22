import { createRandomStream } from "@dovetail/core";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Defence, openDefence } from "../model/defence.js";
import { labelled, randomExamples, tinyNetwork } from "../testing/tiny-defence.js";
import { type Attack, type Examples, selectExamples } from "./attack.js";
import { type AttackName, attackNamed, attackTable } from "./table.js";

let runtime: Runtime;
let defence: Defence;
let examples: Examples;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  defence = openDefence({ runtime, ...tinyNetwork(), batchSize: 16 });
  const random = randomExamples(20);
  examples = labelled(random, await defence.oracle.logits(random.images));
});
afterAll(() => runtime.release());

const effort = { steps: 7, restarts: 2, queries: 40 };
// FAB draws only where its first run left something to find.
const drawsNothing: readonly AttackName[] = ["fgsm", "cw-tau", "fab", "fab-t"];
const names = Object.keys(attackTable) as AttackName[];
const run = (attack: Attack, on: Examples, epsilon: number, seed = 1) =>
  attack.run({ oracle: defence.oracle, examples: on, epsilon, random: createRandomStream(seed) });

describe.each(names)("%s", (name) => {
  const { isBounded } = attackTable[name];

  it("stays within epsilon and within the range of pixels, or says that it does not", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.002, max: 0.3, noNaN: true }), fc.nat(1000), async (epsilon, seed) => {
        const points = await run(attackNamed(name, effort), examples, epsilon, seed);
        expect(points.length).toBe(examples.images.length);
        for (const [index, value] of points.entries()) {
          expect(value >= 0 && value <= 1).toBe(true);
          if (isBounded) expect(Math.abs(value - examples.images[index]!)).toBeLessThanOrEqual(epsilon + 1e-7);
        }
      }),
      { numRuns: 3 },
    );
  });

  it("does to an image what it does to it among others, in any order", async () => {
    const rows = Int32Array.from([13, 2, 7, 19, 0]);
    const all = await run(attackNamed(name, effort), examples, 0.05);
    const some = await run(attackNamed(name, effort), selectExamples(examples, rows), 0.05);
    const expected = selectExamples({ ...examples, images: all }, rows).images;
    for (const [index, value] of some.entries()) expect(value).toBeCloseTo(expected[index]!, 5);
  });

  it("gives the same bits for the same seed, and others for another if it draws anything", async () => {
    const of = (seed: number) => run(attackNamed(name, effort), examples, 0.05, seed);
    const once = await of(1);
    expect(await of(1)).toEqual(once);
    if (!drawsNothing.includes(name)) expect(await of(2)).not.toEqual(once);
  });
});
