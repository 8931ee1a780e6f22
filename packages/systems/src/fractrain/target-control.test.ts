import { expect, it } from "vitest";
import { costSign, dfqTarget, fracTrainTarget } from "./target-control.js";

it("pushes the cost towards DFQ's target from both sides, a tenth as hard inside the band", () => {
  const target = dfqTarget(0.03, 0.005);
  expect([0.02, 0.025, 0.0299, 0.03, 0.0349, 0.035].map((cost) => costSign(cost, target))).toEqual([
    -1, -0.1, -0.1, 0.1, 0.1, 1,
  ]);
  expect([0.0299, 0.03].map((cost) => costSign(cost, dfqTarget(0.03)))).toEqual([-1, 1]);
});

it("pushes in proportion to the distance where that is asked for", () => {
  const target = { ...dfqTarget(0.03), proportion: 0.1 };
  const signs = [0.02, 0.027, 0.0285, 0.03, 0.0315, 0.05].map((cost) => costSign(cost, target));
  expect(signs.map((sign) => Math.round(1000 * sign) / 1000 + 0)).toEqual([-1, -1, -0.5, 0, 0.5, 1]);
  expect(costSign(0.0299, { ...dfqTarget(0.03), proportion: 0 })).toBe(-1);
});

it("leaves FracTrain's cost alone just above the target, which rises at turning points", () => {
  const at = (turned: number) => fracTrainTarget(turned, { range: 0.001 });
  expect([0, 1, 2, 3].map((turned) => at(turned).target)).toEqual([0.015, 0.02, 0.025, 0.03]);
  expect([0.0149, 0.015, 0.0159, 0.016].map((cost) => costSign(cost, at(0)))).toEqual([-1, 0, 0, 1]);
});
