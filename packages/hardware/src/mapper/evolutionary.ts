import type { RandomStream } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import { costModelOf } from "../cost/cost.js";
import { adoptMapping } from "../mapspace/adopt.js";
import { type Candidate, copyCandidate, createCandidate } from "../mapspace/candidate.js";
import { construct } from "../mapspace/construct.js";
import { crossDimensions, crossLevels } from "../mapspace/crossover.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import { exchangeFactors, flipKeep, moveFactor, moveLoop } from "../mapspace/moves.js";
import { createRepairScratch, type RepairScratch, repair } from "../mapspace/repair.js";
import { sampleMapping } from "../mapspace/sample.js";
import { listSpatialSplits } from "../mapspace/spatial.js";
import type { Problem } from "../workload/problem.js";
import { firstPlan, planAxes } from "./plans.js";
import { admit, createPopulation, drawParent, type Population } from "./population.js";
import { createSeen, type Seen } from "./seen.js";
import { type MapLayerResult, type MapperOptions, startTrial, type Trial } from "./trial.js";
import { mapVariants, paddingVariants } from "./variants.js";

// Settings measured on the layers of ResNet-8 and others, on Eyeriss-like accelerators of several sizes.

/** Most of the effort that goes into building mappings by plan before they are bred. */
const PLANNING = 0.5;
/** Mappings alive at a time: the square root of the effort, within these bounds. */
const FEWEST_ALIVE = 8;
const MOST_ALIVE = 64;
/** Draws in a row that bring nothing new after which the mapspace counts as exhausted. */
const PATIENCE = 500;
/** Chance of a child of two parents, half of them crossed by dimension and half by level. */
const CROSSING = 0.2;
/** Chance of one more step of mutation after each. */
const ANOTHER_STEP = 0.4;
/** Attempts at one step of mutation: many steps do not apply to the mapping at hand. */
const ATTEMPTS = 8;

/** A search in progress. */
interface Evolution {
  readonly trial: Trial;
  readonly population: Population;
  readonly seen: Seen;
  readonly child: Candidate;
  readonly scratch: RepairScratch;
}

/**
 * Searches a good mapping of a layer. First it builds mappings greedily (`construct`), each filling the array and the
 * memories, and improves one choice at a time: what is stationary, which memories hold which tensors, what is spread over
 * the array. Then it breeds: one child after another, by crossover, mutation and repair, takes the place of the worst.
 *
 * The effort is `evaluations` calls of the cost model; the search stops before when it finds nothing new. No mapping that
 * fits is a value, with the rejection of the nearest one.
 *
 * @throws the signal's reason when cancelled, and DovetailError for seeds that name unknown levels, dimensions or data
 * spaces.
 */
export function mapLayer(problem: Problem, architecture: Architecture, options: MapperOptions): MapLayerResult {
  const model = costModelOf(options);
  const { padding = model === "exact" } = options;
  const variants = padding ? paddingVariants(problem, architecture, options) : [];
  return variants.length === 0
    ? evolve(problem, architecture, options)
    : mapVariants(problem, variants, options, (variant, share) =>
        evolve(variant, architecture, share, model === "exact" ? problem : variant),
      );
}

function evolve(
  problem: Problem,
  architecture: Architecture,
  options: MapperOptions,
  executed: Problem = problem,
): MapLayerResult {
  const trial = startTrial(problem, architecture, options, executed);
  const { space, random, evaluationLimit } = trial;
  if (space.obstacle !== undefined) return trial.finish();
  const alive = Math.min(MOST_ALIVE, Math.max(FEWEST_ALIVE, Math.round(Math.sqrt(evaluationLimit))));
  const evolution: Evolution = {
    trial,
    population: createPopulation(space, alive),
    seen: createSeen(space, Math.min(evaluationLimit, 2 ** 16)),
    child: createCandidate(space.tables),
    scratch: createRepairScratch(space),
  };
  for (const seed of options.seeds ?? []) {
    const { child, scratch } = evolution;
    if (adoptMapping(space, seed, child) && repair(space, random, child, scratch)) consider(evolution);
  }
  followPlans(evolution);
  let barren = 0;
  while (trial.evaluations < evaluationLimit && barren < PATIENCE) {
    barren = breed(evolution) && consider(evolution) !== undefined ? 0 : barren + 1;
  }
  // Of what repair gave up on, the last one tells why.
  if (trial.evaluations === 0) trial.assess(evolution.child);
  return trial.finish();
}

/** Builds mappings by plan; of each axis the best choice is kept, until a round over all axes brings nothing better. */
function followPlans(evolution: Evolution): void {
  const { trial, child } = evolution;
  const { space } = trial;
  const tile = new Float64Array(space.tables.levelCount * space.tables.dimensionCount);
  const splits = listSpatialSplits(space);
  const limit = Math.ceil(trial.evaluationLimit * PLANNING);
  const axes = planAxes(space, splits);
  let best = firstPlan(space);
  let bestValue = Number.POSITIVE_INFINITY;
  for (let improved = true; improved; ) {
    improved = false;
    for (const axis of axes) {
      for (let choice = 0; choice < axis.count; choice++) {
        if (trial.evaluations >= limit) return;
        const plan = axis.choose(best, choice);
        if (!construct(space, splits, plan, child, tile)) continue;
        const value = consider(evolution);
        if (value === undefined || value >= bestValue) continue;
        best = plan;
        bestValue = value;
        improved = true;
      }
    }
  }
}

/** Assesses the child unless it is known (then the value is undefined) and admits it to the population if it fits. */
function consider({ trial, population, seen, child }: Evolution): number | undefined {
  if (trial.evaluations >= trial.evaluationLimit || seen.add(child)) return undefined;
  const value = trial.assess(child);
  if (value < Number.POSITIVE_INFINITY) admit(population, child, value);
  return value;
}

/** Makes a child; false when it cannot be made to fit. */
function breed({ trial, population, child, scratch }: Evolution): boolean {
  const { space, random } = trial;
  if (population.size < 2) return sampleMapping(space, random, child, scratch);
  const mother = drawParent(population, random);
  if (random.uniform() < CROSSING) {
    const father = drawParent(population, random);
    if (random.integer(2) === 0) {
      crossDimensions(space, random, mother, father, child);
      return repair(space, random, child, scratch);
    }
    crossLevels(space, random, mother, father, child);
  } else {
    copyCandidate(mother, child);
  }
  mutate(space, random, child);
  return repair(space, random, child, scratch);
}

function mutate(space: Mapspace, random: RandomStream, candidate: Candidate): void {
  do {
    let attempts = ATTEMPTS;
    while (attempts > 0 && !takeStep(space, random, candidate)) attempts--;
  } while (random.uniform() < ANOTHER_STEP);
}

function takeStep(space: Mapspace, random: RandomStream, candidate: Candidate): boolean {
  const draw = random.uniform();
  if (draw < 0.1) return flipKeep(space, random, candidate);
  if (draw < 0.35) return moveLoop(space, random, candidate);
  if (draw < 0.6) return exchangeFactors(space, random, candidate);
  return moveFactor(space, random, candidate);
}
