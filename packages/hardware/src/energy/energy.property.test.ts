import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { registerFile } from "./register-file.js";
import { scaleTechnology } from "./scale-technology.js";
import { sram } from "./sram.js";

const technologyNm = 45;
const bytes = fc.integer({ min: 1024, max: 1024 * 1024 });
const widthBits = fc.integer({ min: 32, max: 256 });
const quantities = ["readPj", "writePj", "areaMm2", "leakageMw"] as const;

describe("SRAM figures", () => {
  it("never fall as the capacity grows", () => {
    fc.assert(
      fc.property(bytes, bytes, widthBits, (a, b, width) => {
        const small = sram({ bytes: Math.min(a, b), widthBits: width, technologyNm });
        const large = sram({ bytes: Math.max(a, b), widthBits: width, technologyNm });
        for (const name of quantities) {
          expect(large[name]).toBeGreaterThanOrEqual(small[name] * (1 - 1e-12));
        }
      }),
    );
  });

  it("lie between the four grid points around them", () => {
    fc.assert(
      fc.property(bytes, widthBits, (size, width) => {
        const sizes = [2 ** Math.floor(Math.log2(size)), 2 ** Math.ceil(Math.log2(size))];
        const widths = [2 ** Math.floor(Math.log2(width)), 2 ** Math.ceil(Math.log2(width))];
        const corners = sizes.flatMap((s) => widths.map((w) => sram({ bytes: s, widthBits: w, technologyNm })));
        const figures = sram({ bytes: size, widthBits: width, technologyNm });
        for (const name of quantities) {
          const values = corners.map((corner) => corner[name]);
          expect(figures[name]).toBeGreaterThanOrEqual(Math.min(...values) * (1 - 1e-12));
          expect(figures[name]).toBeLessThanOrEqual(Math.max(...values) * (1 + 1e-12));
        }
      }),
    );
  });
});

describe("register files", () => {
  const words = fc.integer({ min: 1, max: 1024 });
  const wordBits = fc.integer({ min: 4, max: 32 });

  it("never get cheaper with more or wider words", () => {
    fc.assert(
      fc.property(words, words, wordBits, wordBits, (a, b, v, w) => {
        const small = registerFile({ words: Math.min(a, b), widthBits: Math.min(v, w), technologyNm });
        const large = registerFile({ words: Math.max(a, b), widthBits: Math.max(v, w), technologyNm });
        for (const name of quantities) {
          expect(large[name]).toBeGreaterThanOrEqual(small[name] * (1 - 1e-12));
        }
      }),
    );
  });

  it("cost no more than the SRAM that anchors them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 256, max: 1024 }), (depth) => {
        const anchor = sram({ bytes: depth * 4, widthBits: 32, technologyNm });
        const file = registerFile({ words: depth, widthBits: 32, technologyNm });
        expect(file.readPj).toBeCloseTo(anchor.readPj, 12);
        expect(file.writePj).toBeCloseTo(anchor.writePj, 12);
      }),
    );
  });
});

describe("technology scaling", () => {
  it("there and back is no change", () => {
    const nodes = fc.constantFrom(130, 90, 65, 45, 32, 20, 16, 14, 10, 7);
    fc.assert(
      fc.property(nodes, nodes, fc.double({ min: 0.7, max: 1.1, noNaN: true }), (fromNm, toNm, supplyVolts) => {
        const there = scaleTechnology({ quantity: "energy", fromNm, toNm, supplyVolts }).factor;
        const back = scaleTechnology({ quantity: "energy", fromNm: toNm, toNm: fromNm, supplyVolts }).factor;
        expect(there * back).toBeCloseTo(1, 12);
      }),
    );
  });
});
