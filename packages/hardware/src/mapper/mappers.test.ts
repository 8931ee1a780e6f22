import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { matmulProblem } from "../workload/layers.js";
import { mapLayerWith, mapperNames, runMapJob } from "./mappers.js";

const problem = matmulProblem({ rows: 4, inner: 8, columns: 6 });
const architecture = eyerissLike();

describe("mappers by name", () => {
  it.each(mapperNames)("%s: a job is plain data, and its result that of the call", (mapper) => {
    const random = createRandomStream(9).split("layer");
    const options = { mapper, evaluations: 120, nodes: 2000 };
    const job = structuredClone({ problem, architecture, random: random.state(), options });
    const result = runMapJob(job);
    expect(structuredClone(result)).toEqual(mapLayerWith(problem, architecture, { ...options, random }));
    expect(result.ok).toBe(true);
    expect(result.proven !== undefined).toBe(mapper === "exact");
  });

  it("stops a job that is cancelled", () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    const options = { mapper: "exact" as const };
    const job = { problem, architecture, random: createRandomStream(1).state(), options };
    expect(() => runMapJob(job, { signal: controller.signal })).toThrow("enough");
  });
});
