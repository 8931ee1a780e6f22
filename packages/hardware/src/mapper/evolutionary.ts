import type { RandomStream } from "@dovetail/core";
import { encodeMapping } from "../analysis/code.js";
import type { Architecture } from "../architecture/architecture.js";
import { type Candidate, copyCandidate, createCandidate } from "../mapspace/candidate.js";
import { construct, type Plan } from "../mapspace/construct.js";
import { crossDimensions, crossLevels } from "../mapspace/crossover.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import { exchangeFactors, flipKeep, moveFactor, moveLoop } from "../mapspace/moves.js";
import { createRepairScratch, type RepairScratch, repair } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import { listSpatialSplits } from "../mapspace/spatial.js";
import type { Problem } from "../workload/problem.js";
import { firstPlan, planAxes } from "./plans.js";
import { createSeen, type Seen } from "./seen.js";
import { type MapLayerResult, type MapperOptions, startTrial, type Trial } from "./trial.js";

/** Mappings alive at a time. */
const T = ((globalThis as any).T ??= {});
/** Draws in a row that bring nothing new after which the mapspace counts as exhausted. */
const PATIENCE = 500;

interface Population {
  readonly members: readonly Candidate[];
  readonly values: Float64Array;
  size: number;
}

export function mapLayer(problem: Problem, architecture: Architecture, options: MapperOptions): MapLayerResult {
  const trial = startTrial(problem, architecture, options);
  const { space, random } = trial;
  if (space.obstacle !== undefined) return trial.finish();
  const scratch = createRepairScratch(space);
  const seen = createSeen(space, Math.min(trial.evaluationLimit, 2 ** 16));
  const pop =
    T.pop ?? Math.max(8, Math.min(T.popmax ?? 64, Math.round((T.popk ?? 1) * Math.sqrt(trial.evaluationLimit))));
  const population: Population = {
    members: Array.from({ length: pop }, () => createCandidate(space.tables)),
    values: new Float64Array(pop).fill(Number.POSITIVE_INFINITY),
    size: 0,
  };
  const child = createCandidate(space.tables);
  for (const seed of options.seeds ?? []) {
    copyCandidate({ ...child, ...encodeSeed(space, seed) }, child);
    if (repair(space, random, child, scratch)) consider(trial, seen, population, child);
  }
  plantHeuristics(trial, seen, population, child);
  let barren = 0;
  while (trial.evaluations < trial.evaluationLimit && barren < PATIENCE) {
    const fits = breed(space, random, population, child, scratch);
    barren = fits && consider(trial, seen, population, child) !== undefined ? 0 : barren + 1;
  }
  if (trial.evaluations === 0) trial.assess(child);
  return trial.finish();
}

function encodeSeed(space: Mapspace, seed: Parameters<typeof encodeMapping>[1]): Candidate {
  const candidate = createCandidate(space.tables);
  const code = encodeMapping(space.tables, seed);
  candidate.temporal.set(code.temporal);
  candidate.spatialX.set(code.spatialX);
  candidate.spatialY.set(code.spatialY);
  candidate.temporalOrder.set(code.temporalOrder);
  candidate.orderX.set(code.orderX);
  candidate.orderY.set(code.orderY);
  candidate.keep.set(code.keep);
  return candidate;
}

function plantHeuristics(trial: Trial, seen: Seen, population: Population, child: Candidate): void {
  const { space } = trial;
  const { levelCount, dimensionCount } = space.tables;
  const tile = new Float64Array(levelCount * dimensionCount);
  const splits = listSpatialSplits(space);
  const limit = Math.ceil(trial.evaluationLimit * (T.frac ?? 0.5));
  const axes = planAxes(space, splits);
  let best: Plan = firstPlan(space);
  let bestValue = Number.POSITIVE_INFINITY;
  for (let improved = true; improved; ) {
    improved = false;
    for (const axis of axes) {
      for (let choice = 0; choice < axis.count; choice++) {
        const plan = axis.choose(best, choice);
        if (trial.evaluations >= limit) return;
        if (!construct(space, splits, plan, child, tile)) continue;
        const value = consider(trial, seen, population, child) ?? Number.POSITIVE_INFINITY;
        if (value >= bestValue) continue;
        best = plan;
        bestValue = value;
        improved = true;
      }
    }
  }
}

/** Assesses a candidate unless it is known, and lets it into the population in place of the worst. */
function consider(trial: Trial, seen: Seen, population: Population, candidate: Candidate): number | undefined {
  if (trial.evaluations >= trial.evaluationLimit || seen.add(candidate)) return undefined;
  const value = trial.assess(candidate);
  if (value === Number.POSITIVE_INFINITY) return value;
  const { members, values } = population;
  if (population.size < members.length) {
    copyCandidate(candidate, members[population.size]!);
    values[population.size++] = value;
    return value;
  }
  let worst = 0;
  for (let index = 1; index < members.length; index++) if (values[index]! > values[worst]!) worst = index;
  if (value < values[worst]!) {
    copyCandidate(candidate, members[worst]!);
    values[worst] = value;
  }
  return value;
}

function breed(
  space: Mapspace,
  random: RandomStream,
  population: Population,
  child: Candidate,
  scratch: RepairScratch,
): boolean {
  if (population.size < 2) return sampleMapping(space, random, child, scratch);
  const mother = population.members[tournament(random, population)]!;
  const draw = random.uniform();
  if (draw < (T.cross ?? 0.2)) {
    const father = population.members[tournament(random, population)]!;
    (draw < (T.cross ?? 0.2) / 2 ? crossDimensions : crossLevels)(space, random, mother, father, child);
  } else {
    copyCandidate(mother, child);
  }
  if (draw >= (T.cross ?? 0.2) / 2) mutate(space, random, child);
  return repair(space, random, child, scratch);
}

function tournament(random: RandomStream, { size, values }: Population): number {
  const a = random.integer(size);
  let best = a;
  for (let i = 1; i < (T.tour ?? 2); i++) {
    const b = random.integer(size);
    if (values[b]! < values[best]!) best = b;
  }
  return best;
}

function mutate(space: Mapspace, random: RandomStream, candidate: Candidate): void {
  do {
    let tries = 8;
    while (tries-- > 0 && !mutateOnce(space, random, candidate));
  } while (random.uniform() < (T.again ?? 0.4));
}

function mutateOnce(space: Mapspace, random: RandomStream, candidate: Candidate): boolean {
  const draw = random.uniform();
  if (draw < 0.1) return flipKeep(space, random, candidate);
  if (draw < (T.loop ?? 0.35)) return moveLoop(space, random, candidate);
  if (draw < (T.exch ?? 0.6)) return exchangeFactors(space, random, candidate);
  return moveFactor(space, random, candidate);
}
