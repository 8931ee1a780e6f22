import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { constant, cosine, linearWarmUp, oneCycle, oneCycleMomentum, type Schedule, stepSchedule } from "./schedule.js";

const golden = JSON.parse(readFileSync(new URL("schedule.golden.json", import.meta.url), "utf8")) as Record<
  string,
  number[]
>;

const schedules: Record<string, Schedule> = {
  multiStep: stepSchedule({ value: 0.2, milestones: [4, 9], factor: 0.3 }),
  cosine: cosine({ value: 0.2, steps: 20, final: 0.01 }),
  warmUpThenCosine: linearWarmUp({ steps: 5, startFactor: 0.1, next: cosine({ value: 0.2, steps: 15, final: 0.001 }) }),
  oneCycle: oneCycle({ maximum: 0.3, steps: 37 }),
  oneCycleMomentum: oneCycleMomentum({ steps: 37 }),
  oneCycleOwnDivisors: oneCycle({ maximum: 0.3, steps: 20, riseFraction: 0.25, startDivisor: 10, finalDivisor: 100 }),
};

it.each(Object.entries(schedules))("%s has PyTorch's values at every step", (name, schedule) => {
  const expected = golden[name]!;
  expect(expected.length).toBeGreaterThan(10);
  expected.forEach((value, step) => {
    expect(schedule(step) / value).toBeCloseTo(1, 12);
  });
});

it("holds its value when constant, and its last value after a cosine", () => {
  expect([0, 7].map(constant(0.5))).toEqual([0.5, 0.5]);
  expect(cosine({ value: 1, steps: 4, final: 0.25 })(9)).toBe(0.25);
});
