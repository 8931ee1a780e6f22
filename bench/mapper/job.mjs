// One measurement of the mapper benchmark in a process (or worker thread) of its own, so that each starts from scratch:
// node job.mjs MAPSPACE-FILE KIND ARGUMENT SEED prints a line of JSON. Times are CPU-seconds of the whole process.
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { createRandomStream } from "@dovetail/core";
import {
  createCandidate,
  createMapspace,
  createUniformSampler,
  decodeMapping,
  evaluateCost,
  mapLayerExactly,
  prepareLeanCost,
  runMapJob,
} from "@dovetail/hardware";
import { readMapspace } from "./mapspace-file.mjs";
import { networkLayers } from "./networks.mjs";

const [file, kind, argument, seedText] = workerData ?? process.argv.slice(2);
const { problem, architecture, options } = readMapspace(readFileSync(file, "utf8"));
const seed = Number(seedText);

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Dimensions of size 1 have no loops; without them a mapspace is the same and smaller. */
function withoutUnits({ name, dimensions, dataSpaces }) {
  return {
    name,
    dimensions: Object.fromEntries(Object.entries(dimensions).filter(([, size]) => size > 1)),
    dataSpaces: dataSpaces.map((space) => ({
      ...space,
      projection: space.projection
        .map((rank) => rank.filter(({ dimension }) => dimensions[dimension] > 1))
        .filter((rank) => rank.length > 0),
    })),
  };
}

/** Draws and evaluates `count` mappings; about 500 of them are evaluated again by the plain implementation. */
function throughput(neighbourLinks, count) {
  const settings = { ...options, neighbourLinks };
  const reduced = withoutUnits(problem);
  const random = createRandomStream(seed);
  const before = cpuSeconds();
  const space = createMapspace(reduced, architecture);
  const sampler = createUniformSampler(space);
  const evaluator = prepareLeanCost(reduced, architecture, settings);
  const candidate = createCandidate(space.tables);
  const sample = [];
  let best = Number.POSITIVE_INFINITY;
  for (let draw = 0; draw < count; draw++) {
    if (!sampler.draw(random, candidate)) throw new Error("no mapping fits");
    const { valid, energyPj, latencyCycles } = evaluator.evaluate(candidate);
    if (!valid) throw new Error("a drawn mapping does not fit");
    best = Math.min(best, energyPj * latencyCycles);
    if (draw % Math.ceil(count / 500) === 0) {
      sample.push({ mapping: decodeMapping(space.tables, candidate), energyPj, latencyCycles });
    }
  }
  const seconds = cpuSeconds() - before;
  for (const { mapping, energyPj, latencyCycles } of sample) {
    const cost = evaluateCost(reduced, architecture, mapping, settings);
    if (cost.energyPj !== energyPj || cost.latencyCycles !== latencyCycles)
      throw new Error("the plain model disagrees");
  }
  return { count, cpuSeconds: seconds, best: best * 1e-12, checked: sample.length };
}

/** A random search as a job for a thread; every evaluation is of a mapping that fits. */
function threads(evaluations) {
  const random = createRandomStream(seed).state();
  const start = performance.now();
  const result = runMapJob({ problem, architecture, random, options: { ...options, mapper: "random", evaluations } });
  return { count: result.evaluations, elapsedSeconds: (performance.now() - start) / 1e3 };
}

function proof() {
  const before = cpuSeconds();
  const result = mapLayerExactly(problem, architecture, { ...options, random: createRandomStream(seed) });
  const { proven, lowerBound, nodes } = result;
  const edp = result.cost.edpJouleCycles;
  return { cpuSeconds: cpuSeconds() - before, edp, proven, lowerBound: lowerBound * 1e-12, nodes };
}

function search(limit) {
  const before = cpuSeconds();
  const result = mapLayerExactly(problem, architecture, {
    ...options,
    random: createRandomStream(seed),
    shouldStop: () => cpuSeconds() - before >= limit,
  });
  return { cpuSeconds: cpuSeconds() - before, edp: result.cost.edpJouleCycles };
}

function network(name) {
  const before = cpuSeconds();
  const random = createRandomStream(seed);
  const layers = networkLayers(name).map((layer) => {
    const start = cpuSeconds();
    const result = mapLayerExactly(layer, architecture, { ...options, random: random.split(layer.name) });
    const best = result.trace.at(-1).value;
    return {
      name: layer.name,
      edp: result.cost.edpJouleCycles,
      gap: best / result.lowerBound - 1,
      proven: result.proven,
      cpuSeconds: cpuSeconds() - start,
    };
  });
  return { cpuSeconds: cpuSeconds() - before, layers };
}

const kinds = {
  throughput: () => throughput(argument === "links-on", argument === "links-on" ? 100_000 : 300_000),
  threads: () => threads(200_000),
  proof,
  search: () => search(Number(argument)),
  network: () => network(argument),
};
const result = { ...kinds[kind](), peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
if (parentPort) parentPort.postMessage(result);
else process.stdout.write(`${JSON.stringify(result)}\n`);
