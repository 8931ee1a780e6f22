import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extent, linearScale, logScale } from "./scale.js";

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });
const positive = fc.double({ min: 1e-12, max: 1e12, noNaN: true });

describe("linearScale", () => {
  it("covers its domain with rising round ticks", () => {
    fc.assert(
      fc.property(finite, fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (low, span) => {
        const domain = [low, low + span] as const;
        fc.pre(domain[1] - domain[0] > 1e-9 * Math.abs(low));
        const scale = linearScale({ domain, range: [0, 100] });
        const tolerance = 1e-6 * span;
        expect(scale.domain[0]).toBeLessThanOrEqual(domain[0] + tolerance);
        expect(scale.domain[1]).toBeGreaterThanOrEqual(domain[1] - tolerance);
        expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
        expect(scale.ticks.length).toBeLessThanOrEqual(8);
        for (let index = 1; index < scale.ticks.length; index++) {
          expect(scale.ticks[index]!).toBeGreaterThan(scale.ticks[index - 1]!);
        }
        expect(new Set(scale.ticks.map(scale.label)).size).toBe(scale.ticks.length);
      }),
    );
  });

  it("maps its ends to the range and keeps the order", () => {
    fc.assert(
      fc.property(finite, fc.double({ min: 1, max: 1e6, noNaN: true }), (low, span) => {
        const scale = linearScale({ domain: [low, low + span], range: [300, 20], nice: false });
        expect(scale.at(scale.domain[0])).toBeCloseTo(300, 6);
        expect(scale.at(scale.domain[1])).toBeCloseTo(20, 6);
        expect(scale.at(low + span / 2)).toBeLessThan(scale.at(low));
      }),
    );
  });

  it("widens an empty domain", () => {
    const scale = linearScale({ domain: [3, 3], range: [0, 1] });
    expect(scale.domain[0]).toBeLessThan(3);
    expect(scale.domain[1]).toBeGreaterThan(3);
    expect(linearScale({ domain: [0, 0], range: [0, 1] }).ticks).toContain(0);
  });

  it("has round ticks without noise", () => {
    expect(linearScale({ domain: [0, 1], range: [0, 1], tickCount: 10 }).ticks).toEqual([
      0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1,
    ]);
  });
});

describe("logScale", () => {
  it("maps equal ratios to equal lengths", () => {
    fc.assert(
      fc.property(positive, fc.double({ min: 1.1, max: 1e6, noNaN: true }), (low, ratio) => {
        const scale = logScale({ domain: [low, low * ratio], range: [0, 100] });
        expect(scale.at(low * Math.sqrt(ratio))).toBeCloseTo(50, 4);
        for (const tick of scale.ticks) {
          expect(tick).toBeGreaterThanOrEqual(low * (1 - 1e-6));
          expect(tick).toBeLessThanOrEqual(low * ratio * (1 + 1e-6));
        }
        expect(scale.ticks.length).toBeGreaterThanOrEqual(2);
        expect(new Set(scale.ticks.map(scale.label)).size).toBe(scale.ticks.length);
      }),
    );
  });

  it("thins out decades, and falls back on 1, 2, 5 and on even steps", () => {
    expect(logScale({ domain: [1e-6, 1e6], range: [0, 1] }).ticks.length).toBeLessThanOrEqual(7);
    expect(logScale({ domain: [1, 60], range: [0, 1] }).ticks).toEqual([1, 2, 5, 10, 20, 50]);
    expect(logScale({ domain: [1.1, 1.9], range: [0, 1] }).ticks).toEqual([1.2, 1.4, 1.6, 1.8]);
  });
});

describe("extent", () => {
  it("leaves out what is no number", () => {
    expect(extent([3, Number.NaN, -1, Number.POSITIVE_INFINITY])).toEqual([-1, 3]);
    expect(extent([])).toEqual([0, 1]);
  });
});
