import { expect, it } from "vitest";
import { readArchitecture } from "../architecture/architecture.js";
import { readProblem } from "../workload/problem.js";
import { prepareAnalysis } from "./analysis.js";

it("refuses a network whose multicast it does not count", () => {
  const problem = readProblem("name: p\ndimensions: { C: 4 }\ndataSpaces: [{ name: W, projection: [C] }]\n");
  const architecture = readArchitecture(`
name: fragments
levels:
  - { name: memory, storage: { widthBits: 8, readPj: 1, writePj: 1 }, fanout: { x: 4, multicast: fragments } }
compute: { energyPj: 1 }
`);
  expect(() => prepareAnalysis(problem, architecture)).toThrow(
    /levels\[0\]\.fanout\.multicast.*expected tiles, received fragments/,
  );
});
