import type { RandomStream } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import { type Candidate, createCandidate } from "../mapspace/candidate.js";
import { orderLoops } from "../mapspace/construct.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import { createRepairScratch, repair, slotProduct } from "../mapspace/repair.js";
import { sortByRank } from "../mapspace/sample.js";
import type { Problem } from "../workload/problem.js";
import { createRelaxation, type Relaxation } from "./relaxation.js";
import { type MapLayerResult, type MapperOptions, startTrial } from "./trial.js";

/** Steps of descent between two roundings. */
const STEPS_PER_ROUNDING = 12;
/** Roundings of one descent; then it starts again elsewhere. */
const ROUNDINGS_PER_START = 8;
/** Step size and decays of Adam. */
const STEP_SIZE = 0.08;
const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.99;

/**
 * Searches by gradient descent, as DOSA does (Hong et al., MICRO 2023): the logarithms of the bounds are real numbers, of
 * which each dimension has a fixed sum; which tensor stays put at a level is a softmax; memories and fan-outs that
 * overflow are penalised. Every few steps the point is rounded to a mapping (each prime factor where most is wanted), made
 * to fit, and judged by the cost model, at `evaluations` points in all; descents start again from random points with
 * random choices of what free memories keep.
 *
 * @throws the signal's reason when cancelled.
 */
export function mapLayerByGradient(
  problem: Problem,
  architecture: Architecture,
  options: MapperOptions,
): MapLayerResult {
  const trial = startTrial(problem, architecture, options);
  const { space, random } = trial;
  const candidate = createCandidate(space.tables);
  const scratch = createRepairScratch(space);
  while (trial.evaluations < trial.evaluationLimit && space.obstacle === undefined) {
    const keep = drawKeep(space, random);
    const relaxation = createRelaxation(space, keep, options);
    const descent = startDescent(relaxation, random);
    for (let rounding = 0; rounding < ROUNDINGS_PER_START; rounding++) {
      if (trial.evaluations >= trial.evaluationLimit) break;
      for (let step = 0; step < STEPS_PER_ROUNDING; step++) descend(descent);
      round(space, relaxation, candidate);
      candidate.keep.set(keep);
      repair(space, random, candidate, scratch);
      trial.assess(candidate);
    }
  }
  return trial.finish();
}

function drawKeep(space: Mapspace, random: RandomStream): Uint8Array {
  const keep = space.keep.slice();
  for (const cell of space.freeKeeps) keep[cell] = random.integer(2);
  return keep;
}

interface Descent {
  readonly relaxation: Relaxation;
  readonly first: Float64Array;
  readonly second: Float64Array;
  steps: number;
}

function startDescent(relaxation: Relaxation, random: RandomStream): Descent {
  const { parameters } = relaxation;
  for (let index = 0; index < parameters.length; index++) parameters[index] = random.normal();
  return {
    relaxation,
    first: new Float64Array(parameters.length),
    second: new Float64Array(parameters.length),
    steps: 0,
  };
}

/** One step of Adam. */
function descend(descent: Descent): void {
  const { relaxation, first, second } = descent;
  const { parameters, gradient } = relaxation;
  relaxation.differentiate();
  descent.steps++;
  const firstScale = 1 / (1 - FIRST_DECAY ** descent.steps);
  const secondScale = 1 / (1 - SECOND_DECAY ** descent.steps);
  for (let index = 0; index < parameters.length; index++) {
    const slope = gradient[index]!;
    first[index] = FIRST_DECAY * first[index]! + (1 - FIRST_DECAY) * slope;
    second[index] = SECOND_DECAY * second[index]! + (1 - SECOND_DECAY) * slope * slope;
    parameters[index]! -= (STEP_SIZE * first[index]! * firstScale) / (Math.sqrt(second[index]! * secondScale) + 1e-8);
  }
}

/** The mapping next to the relaxed one: primes, large ones first, go where most of their dimension is still wanted. */
function round(space: Mapspace, { logBounds, stationary }: Relaxation, candidate: Candidate): void {
  const { tables, slotsOf, primesOf } = space;
  const { dimensionCount, levelCount } = tables;
  candidate.bounds.set(space.fixedBounds);
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    const primes = primesOf[dimension]!;
    for (let index = primes.length - 1; index >= 0; index--) {
      let target = -1;
      let most = Number.NEGATIVE_INFINITY;
      for (const slot of slotsOf[dimension]!) {
        const cell = slot * dimensionCount + dimension;
        if (slotProduct(space, candidate, slot) * primes[index]! > space.fanout[slot]!) continue;
        const wanted = logBounds[cell]! - Math.log(candidate.bounds[cell]!);
        if (wanted <= most) continue;
        most = wanted;
        target = slot;
      }
      // Only fan-outs, all full: repair finds that nothing fits.
      if (target < 0) target = slotsOf[dimension]![0]!;
      candidate.bounds[target * dimensionCount + dimension]! *= primes[index]!;
    }
  }
  for (let level = 0; level < levelCount; level++) orderLoops(space, candidate, level, stationary(level));
  for (let slot = levelCount; slot < space.slotCount; slot++) sortByRank(space, candidate, slot);
}
