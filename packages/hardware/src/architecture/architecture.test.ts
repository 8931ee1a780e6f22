import { describe, expect, it } from "vitest";
import {
  architectureAreaUm2,
  instanceCounts,
  printArchitecture,
  readArchitecture,
  writeArchitecture,
} from "./architecture.js";

const text = `
name: small
technologyNm: 45
levels:
  - name: DRAM
    storage: { widthBits: 64, readPj: 512, writePj: 512 }
  - name: buffer
    storage: { entries: 1024, widthBits: 64, wordBits: 8, readPj: 10, writePj: 12, areaUm2: 1000 }
    fanout: { x: 4, y: 2, neighbourLinks: false }
  - name: registers
    storage: { entries: 16, widthBits: 16, readPj: 0.2, writePj: 0.2, areaUm2: 10 }
compute: { energyPj: 0.5, areaUm2: 100 }
constraints:
  levels:
    - { level: registers, keep: [Weights], temporal: { dimensions: [R, C], permutation: ["*", C] } }
`;

describe("architecture", () => {
  const architecture = readArchitecture(text);

  it("survives writing and reading", () => {
    expect(readArchitecture(writeArchitecture(architecture))).toEqual(architecture);
  });

  it("refuses what no chip has and no sum can hold", () => {
    expect(() => readArchitecture(text.replace("x: 4", "x: 4000000"))).toThrow(/the fan-out is too large/);
    expect(() => readArchitecture(text.replace("readPj: 10", "readPj: 1.0e+308"))).toThrow(/readPj/);
  });

  it("counts instances and area", () => {
    expect(instanceCounts(architecture)).toEqual([1, 1, 8, 8]);
    expect(architectureAreaUm2(architecture)).toBe(1000 + 8 * 10 + 8 * 100);
  });

  it("prints", () => {
    expect(printArchitecture(architecture).split("\n")).toEqual([
      "small",
      "  1 × DRAM: unbounded, rows of 64 bits, read 512 pJ, write 512 pJ",
      "  1 × buffer: 1024 rows of 64 bits of 8-bit words, read 10 pJ, write 12 pJ: fan-out 4 × 2, no links",
      "  8 × registers: 16 rows of 16 bits, read 0.2 pJ, write 0.2 pJ",
      "  8 × mac: 0.5 pJ per MAC",
    ]);
  });
});
