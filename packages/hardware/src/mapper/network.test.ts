import { createRandomStream } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { eyerissLike } from "../architecture/families/eyeriss-like.js";
import { convolutionProblem, matmulProblem } from "../workload/layers.js";
import { createMappingCache } from "./cache.js";
import { runMapJob } from "./mappers.js";
import { mapNetwork, type NetworkLayer, networkJobs } from "./network.js";

const architecture = eyerissLike();
const convolution = (channels: number, name = "layer"): NetworkLayer => ({
  problem: convolutionProblem({
    name,
    inputChannels: channels,
    outputChannels: channels,
    outputHeight: 8,
    outputWidth: 8,
    kernelHeight: 3,
    kernelWidth: 3,
  }),
});
const linear: NetworkLayer = { problem: matmulProblem({ rows: 1, inner: 64, columns: 10 }) };

function map(layers: readonly NetworkLayer[], extra: Partial<Parameters<typeof mapNetwork>[2]> = {}) {
  return mapNetwork(layers, architecture, { random: createRandomStream(3), evaluations: 100, ...extra });
}

describe("mapping a network", () => {
  it("sums the layers, each as often as it runs, and maps a shape once", () => {
    const network = map([convolution(16), { ...linear, count: 2 }, convolution(16, "again")]);
    if (!network.ok) throw new Error("unmapped");
    const [first, second, third] = network.layers;
    expect(third).toBe(first);
    expect(network.evaluations).toBe(first!.evaluations + second!.evaluations);
    expect(network.energyPj).toBeCloseTo(2 * first!.cost.energyPj + 2 * second!.cost.energyPj, 3);
    expect(network.latencyCycles).toBe(2 * first!.cost.latencyCycles + 2 * second!.cost.latencyCycles);
    expect(network.edpJouleCycles).toBe(network.energyPj * 1e-12 * network.latencyCycles);
  });

  it("gives a layer the same mapping in any order and company", () => {
    const forwards = map([convolution(16), convolution(32), linear]).layers;
    const backwards = map([linear, convolution(32), convolution(16)]).layers;
    expect(backwards).toEqual([...forwards].reverse());
    expect(map([convolution(32)]).layers).toEqual([forwards[1]]);
  });

  it("takes known results from the cache, but not those of another seed, effort, objective, mapper or architecture", () => {
    const cache = createMappingCache();
    const first = map([convolution(16), linear], { cache });
    expect(map([convolution(16), linear], { cache })).toEqual({ ...first, evaluations: 0 });
    expect(cache.size).toBe(2);
    map([linear], { cache, random: createRandomStream(4) });
    map([linear], { cache, evaluations: 101 });
    map([linear], { cache, objective: "energy" });
    map([linear], { cache, leakage: false });
    map([linear], { cache, mapper: "gradient" });
    map([linear], { cache, mapper: "exact", tolerance: 0.1 });
    map([linear], { cache, mapper: "exact", tolerance: 0.2 });
    mapNetwork([linear], eyerissLike({ arrayRows: 8 }), { random: createRandomStream(3), evaluations: 100, cache });
    expect(cache.size).toBe(10);
  });

  it("finds in the cache what its jobs found elsewhere", () => {
    const layers = [convolution(16), linear, convolution(16)];
    const options = { random: createRandomStream(3), evaluations: 100 };
    const cache = createMappingCache();
    const jobs = networkJobs(layers, eyerissLike(), options);
    expect(jobs).toHaveLength(2);
    for (const { key, job } of structuredClone(jobs)) cache.set(key, structuredClone(runMapJob(job)));
    const alone = mapNetwork(layers, eyerissLike(), options);
    expect(mapNetwork(layers, eyerissLike(), { ...options, cache })).toEqual({ ...alone, evaluations: 0 });
  });

  it("forgets the least recently used result", () => {
    const cache = createMappingCache({ capacity: 2 });
    map([convolution(16), linear], { cache });
    map([convolution(16)], { cache });
    map([convolution(32)], { cache });
    expect(map([convolution(16), convolution(32)], { cache }).evaluations).toBe(0);
    expect(map([linear], { cache }).evaluations).toBeGreaterThan(0);
  });

  it("says which layers have no mapping and why", () => {
    const tiny = eyerissLike();
    const levels = tiny.levels.map((level) =>
      level.name === "globalBuffer" ? { ...level, storage: { ...level.storage!, entries: 1, widthBits: 8 } } : level,
    );
    const result = mapNetwork([linear], { ...tiny, levels }, { random: createRandomStream(1), evaluations: 50 });
    expect(result).toMatchObject({ ok: false, unmapped: [0] });
    expect(result.layers[0]).toMatchObject({
      ok: false,
      rejection: { reason: "capacity", level: "globalBuffer", available: 8 },
    });
  });

  it("stops when cancelled", () => {
    const controller = new AbortController();
    controller.abort(new Error("enough"));
    expect(() => map([linear], { signal: controller.signal })).toThrow("enough");
  });
});
