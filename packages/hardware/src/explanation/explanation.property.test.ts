import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CostModel } from "../cost/cost.js";
import { evaluateCost } from "../cost/explain.js";
import { caseCount, type Sample, samples } from "../exact/testing/samples.js";
import { explainCount } from "./count.js";
import { type CountExplanation, countKinds } from "./explanation.js";
import { printExplanation } from "./print.js";

/** Explanations of all counts of a case. */
function explainAll({ problem, architecture, mapping }: Sample, model: CostModel): CountExplanation[] {
  const cost = evaluateCost(problem, architecture, mapping, { model });
  if (!cost.ok) throw new Error(cost.reason);
  return cost.levels.flatMap(({ level, dataSpaces }) =>
    dataSpaces.flatMap((space) =>
      countKinds.map((kind) => {
        const question = { level, dataSpace: space.dataSpace, kind, model };
        const explanation = explainCount(problem, architecture, mapping, question);
        if (!explanation.ok) throw new Error(explanation.reason);
        expect(explanation.words).toBe(space[kind]);
        return explanation;
      }),
    ),
  );
}

function expectSums(explanations: readonly CountExplanation[]): void {
  for (const explanation of explanations) {
    const sum = explanation.terms.reduce((total, { words }) => total + words, 0);
    expect(sum, printExplanation(explanation)).toBeCloseTo(explanation.words, 6);
  }
}

describe("explanations", () => {
  it("add up to the counts in the model exact", () => {
    fc.assert(
      fc.property(samples(), (sample) => expectSums(explainAll(sample, "exact"))),
      { numRuns: caseCount(30) },
    );
  });

  it("add up in the model timeloop, with no more than links and zero to make up for", () => {
    fc.assert(
      fc.property(samples({ remainders: false }), (sample) => {
        const levels = sample.architecture.levels.map(({ fanout, ...level }) => ({
          ...level,
          ...(fanout && { fanout: { ...fanout, multicast: undefined } }),
        }));
        const explanations = explainAll({ ...sample, architecture: { ...sample.architecture, levels } }, "timeloop");
        expectSums(explanations);
        for (const explanation of explanations) {
          // Without first reads that exceed what there is, the walk and the elision are all that there is to it.
          const termOf = (start: string): number =>
            explanation.terms.find(({ what }) => what.startsWith(start))?.words ?? 0;
          if (termOf("more would") === 0) continue;
          expect(termOf("first sums"), printExplanation(explanation)).toBeLessThan(0);
          expect(explanation.words - termOf("what neighbours"), printExplanation(explanation)).toBe(0);
        }
      }),
      { numRuns: caseCount(30) },
    );
  });

  it("derive each boundary step by step to the same words", () => {
    fc.assert(
      fc.property(samples(), (sample) => {
        for (const { kind, instances, words, derivations } of explainAll(sample, "exact").filter(
          (explanation) => explanation.model === "exact",
        )) {
          const [first] = derivations;
          if (kind === "updates" && first) expect(first.read / instances).toBeCloseTo(words, 6);
          if (kind === "fills" && first && !first.readWrite) expect(first.taken / instances).toBeCloseTo(words, 6);
        }
      }),
      { numRuns: caseCount(30) },
    );
  });
});
