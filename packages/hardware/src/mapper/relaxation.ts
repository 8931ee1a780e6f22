import type { CostOptions } from "../cost/cost.js";
import { compileRates, type Rates } from "../cost/rates.js";
import { SPATIAL_X, TEMPORAL } from "../mapspace/candidate.js";
import type { Mapspace } from "../mapspace/mapspace.js";
import type { MapperOptions } from "./trial.js";

// The cost of a mapping as a smooth function. Parameters: a logit for every dimension and slot where it may stand, of
// which a softmax per dimension gives its share in the logarithm of the dimension; and a logit for every level and tensor,
// of which a softmax per level gives the weight of the order that lets the tensor stay put.
//
// Words between two memories are products of extents and bounds; loops that do not address the tensor count at the level
// next outside its tiles unless it stays put there, and at all levels further out. No overlap of tiles and no links: the
// descent needs a direction, the cost model judges what is rounded.

export interface Relaxation {
  readonly parameters: Float64Array;
  /** Of the loss, by parameter; written by `differentiate`. */
  readonly gradient: Float64Array;
  /** [slot][dimension]: logarithm of the relaxed bound; written by `differentiate`. */
  readonly logBounds: Float64Array;
  /** Tensor that most wants to stay put at a level. */
  stationary(level: number): number;
  /** Writes `logBounds` and `gradient`; returns the loss: the logarithm of the objective, and penalties. */
  differentiate(): number;
}

/** Weight of a squared excess of a memory or a fan-out, in logarithms. */
const PENALTY = 4;

/** Words between two memories that follow each other in keeping a tensor, or between the innermost one and the units. */
interface Flow {
  readonly tensor: number;
  readonly outer: number;
  /** The level count for the units. */
  readonly inner: number;
  /** Level of the loops next outside the inner memory's tiles; −1 where there are none. */
  readonly nearest: number;
  /** Energy of a word at the outer memory and at the inner one, per instance. */
  readonly outerPj: number;
  readonly innerPj: number;
}

export function createRelaxation(
  space: Mapspace,
  keep: Uint8Array,
  options: Pick<MapperOptions, "objective"> & CostOptions,
): Relaxation {
  const { tables, slotCount, slotsOf, primesOf, fixedBounds, relevant, limits } = space;
  const { levelCount, dimensionCount, spaces, macs } = tables;
  const tensorCount = spaces.length;
  const rates = compileRates(tables);
  const flows = listFlows(space, rates, keep);
  const { objective = "edp" } = options;
  const energyWeight = objective === "latency" ? 0.02 : 1;
  const latencyWeight = objective === "energy" ? 0 : 1;

  // Parameters: first those of bounds, dimension by dimension, then those of orders.
  const firstOf = new Int32Array(dimensionCount + 1);
  for (let dimension = 0; dimension < dimensionCount; dimension++) {
    firstOf[dimension + 1] = firstOf[dimension]! + slotsOf[dimension]!.length;
  }
  const orderStart = firstOf[dimensionCount]!;
  const parameters = new Float64Array(orderStart + levelCount * tensorCount);
  const gradient = new Float64Array(parameters.length);
  const logRest = primesOf.map((primes) => primes.reduce((sum, prime) => sum + Math.log(prime), 0));
  const logBounds = new Float64Array(slotCount * dimensionCount);
  const slopes = new Float64Array(slotCount * dimensionCount);
  const shares = new Float64Array(orderStart);
  const weights = new Float64Array(levelCount * tensorCount);
  const weightSlopes = new Float64Array(levelCount * tensorCount);
  /** [level][dimension]: logarithm of what one instance covers; one level more, the units. */
  const logTile = new Float64Array((levelCount + 1) * dimensionCount);

  function softmax(from: Float64Array, start: number, count: number, to: Float64Array, toStart: number): void {
    let most = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < count; index++) most = Math.max(most, from[start + index]!);
    let sum = 0;
    for (let index = 0; index < count; index++) sum += Math.exp(from[start + index]! - most);
    for (let index = 0; index < count; index++) to[toStart + index] = Math.exp(from[start + index]! - most) / sum;
  }

  function layOut(): void {
    for (let cell = 0; cell < logBounds.length; cell++) logBounds[cell] = Math.log(fixedBounds[cell]!);
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      const slots = slotsOf[dimension]!;
      const start = firstOf[dimension]!;
      softmax(parameters, start, slots.length, shares, start);
      for (let at = 0; at < slots.length; at++) {
        logBounds[slots[at]! * dimensionCount + dimension] = shares[start + at]! * logRest[dimension]!;
      }
    }
    for (let level = 0; level < levelCount; level++) {
      softmax(parameters, orderStart + level * tensorCount, tensorCount, weights, level * tensorCount);
    }
    logTile.fill(0, levelCount * dimensionCount);
    for (let level = levelCount - 1; level >= 0; level--) {
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        let sum = logTile[(level + 1) * dimensionCount + dimension]!;
        for (let slot = level; slot < slotCount; slot += levelCount)
          sum += logBounds[slot * dimensionCount + dimension]!;
        logTile[level * dimensionCount + dimension] = sum;
      }
    }
  }

  /** Logarithm of a tensor's words in the tile of a level. */
  function logWords(tensor: number, level: number): number {
    const { rankCount, firstTerm, termDimension, termCoefficient } = spaces[tensor]!;
    let sum = 0;
    for (let rank = 0; rank < rankCount; rank++) {
      let extent = 1;
      for (let term = firstTerm[rank]!; term < firstTerm[rank + 1]!; term++) {
        const length = Math.exp(logTile[level * dimensionCount + termDimension[term]!]!);
        extent += termCoefficient[term]! * (length - 1);
      }
      sum += Math.log(extent);
    }
    return sum;
  }

  /** Adds `slope` times the derivative of `logWords`. */
  function addWordSlopes(tensor: number, level: number, slope: number): void {
    const { rankCount, firstTerm, termDimension, termCoefficient } = spaces[tensor]!;
    for (let rank = 0; rank < rankCount; rank++) {
      let extent = 1;
      for (let term = firstTerm[rank]!; term < firstTerm[rank + 1]!; term++) {
        const length = Math.exp(logTile[level * dimensionCount + termDimension[term]!]!);
        extent += termCoefficient[term]! * (length - 1);
      }
      for (let term = firstTerm[rank]!; term < firstTerm[rank + 1]!; term++) {
        const dimension = termDimension[term]!;
        const length = Math.exp(logTile[level * dimensionCount + dimension]!);
        const part = (slope * termCoefficient[term]! * length) / extent;
        for (let slot = 0; slot < slotCount; slot++) {
          if (slot % levelCount >= level) slopes[slot * dimensionCount + dimension]! += part;
        }
      }
    }
  }

  /** Logarithm of the words that one child takes in, the loops that stay free of charge being weighed by the order. */
  function logFlow({ tensor, inner, nearest }: Flow): number {
    let sum = inner === levelCount ? 0 : logWords(tensor, inner);
    for (let level = 0; level < inner; level++) {
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        const charged =
          level !== nearest || inner === levelCount || relevant[tensor * dimensionCount + dimension] === 1;
        if (charged) sum += logBounds[level * dimensionCount + dimension]!;
      }
    }
    if (nearest >= 0 && inner < levelCount) sum += Math.log(idleFactor(tensor, nearest));
    return sum;
  }

  function idleProduct(tensor: number, level: number): number {
    let sum = 0;
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      if (relevant[tensor * dimensionCount + dimension] !== 1) sum += logBounds[level * dimensionCount + dimension]!;
    }
    return Math.exp(sum);
  }

  function idleFactor(tensor: number, level: number): number {
    const weight = weights[level * tensorCount + tensor]!;
    return weight + (1 - weight) * idleProduct(tensor, level);
  }

  function addFlowSlopes({ tensor, inner, nearest }: Flow, slope: number): void {
    if (inner < levelCount) addWordSlopes(tensor, inner, slope);
    const paysIdle = nearest >= 0 && inner < levelCount;
    const product = paysIdle ? idleProduct(tensor, nearest) : 1;
    const weight = paysIdle ? weights[nearest * tensorCount + tensor]! : 0;
    const factor = weight + (1 - weight) * product;
    for (let level = 0; level < inner; level++) {
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        const charged = level !== nearest || !paysIdle || relevant[tensor * dimensionCount + dimension] === 1;
        slopes[level * dimensionCount + dimension]! += charged ? slope : (slope * (1 - weight) * product) / factor;
      }
    }
    if (paysIdle) weightSlopes[nearest * tensorCount + tensor]! += (slope * (1 - product)) / factor;
  }

  /** Sum over the fan-outs of levels from `from` up to `to`, of a tensor's dimensions or (tensor −1) of all. */
  function logSpread(from: number, to: number, tensor: number): number {
    let sum = 0;
    for (let slot = SPATIAL_X * levelCount; slot < slotCount; slot++) {
      const level = slot % levelCount;
      if (level < from || level >= to) continue;
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        if (tensor < 0 || relevant[tensor * dimensionCount + dimension] === 1) {
          sum += logBounds[slot * dimensionCount + dimension]!;
        }
      }
    }
    return sum;
  }

  function addSpreadSlopes(from: number, to: number, tensor: number, slope: number): void {
    for (let slot = SPATIAL_X * levelCount; slot < slotCount; slot++) {
      const level = slot % levelCount;
      if (level < from || level >= to) continue;
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        if (tensor < 0 || relevant[tensor * dimensionCount + dimension] === 1) {
          slopes[slot * dimensionCount + dimension]! += slope;
        }
      }
    }
  }

  const flowPj = new Float64Array(2 * flows.length);

  function addEnergy(): number {
    let energyPj = macs * rates.macPj;
    flows.forEach((flow, index) => {
      const { outer, inner, tensor } = flow;
      const words = logFlow(flow);
      flowPj[2 * index] = flow.outerPj * Math.exp(words + logSpread(outer, inner, tensor) + logSpread(0, outer, -1));
      flowPj[2 * index + 1] = flow.innerPj * Math.exp(words + logSpread(0, inner, -1));
      energyPj += flowPj[2 * index]! + flowPj[2 * index + 1]!;
    });
    flows.forEach((flow, index) => {
      const { outer, inner, tensor } = flow;
      const atOuter = (energyWeight * flowPj[2 * index]!) / energyPj;
      const atInner = (energyWeight * flowPj[2 * index + 1]!) / energyPj;
      addFlowSlopes(flow, atOuter + atInner);
      addSpreadSlopes(outer, inner, tensor, atOuter);
      addSpreadSlopes(0, outer, -1, atOuter);
      addSpreadSlopes(0, inner, -1, atInner);
    });
    return energyWeight * Math.log(energyPj);
  }

  function addLatency(): number {
    addSpreadSlopes(0, levelCount, -1, -latencyWeight);
    return latencyWeight * (Math.log(macs) - logSpread(0, levelCount, -1));
  }

  function addPenalties(): number {
    let penalty = 0;
    for (let slot = SPATIAL_X * levelCount; slot < slotCount; slot++) {
      let sum = -Math.log(space.fanout[slot]!);
      for (let dimension = 0; dimension < dimensionCount; dimension++)
        sum += logBounds[slot * dimensionCount + dimension]!;
      if (sum <= 0) continue;
      penalty += PENALTY * sum * sum;
      for (let dimension = 0; dimension < dimensionCount; dimension++) {
        slopes[slot * dimensionCount + dimension]! += 2 * PENALTY * sum;
      }
    }
    for (let level = 0; level < levelCount; level++) {
      if (limits.capacity[level] === Number.POSITIVE_INFINITY) continue;
      let needed = 0;
      for (let tensor = 0; tensor < tensorCount; tensor++) {
        if (keep[level * tensorCount + tensor] === 1) {
          needed += Math.exp(logWords(tensor, level)) * limits.weight[level * tensorCount + tensor]!;
        }
      }
      const excess = Math.log(needed / limits.capacity[level]!);
      if (excess <= 0) continue;
      penalty += PENALTY * excess * excess;
      for (let tensor = 0; tensor < tensorCount; tensor++) {
        if (keep[level * tensorCount + tensor] !== 1) continue;
        const part = (Math.exp(logWords(tensor, level)) * limits.weight[level * tensorCount + tensor]!) / needed;
        addWordSlopes(tensor, level, 2 * PENALTY * excess * part);
      }
    }
    return penalty;
  }

  /** From slopes by bound and weight to slopes by parameter, through the softmaxes. */
  function pullBack(): void {
    for (let dimension = 0; dimension < dimensionCount; dimension++) {
      const slots = slotsOf[dimension]!;
      const start = firstOf[dimension]!;
      let mean = 0;
      for (let at = 0; at < slots.length; at++) {
        mean += shares[start + at]! * slopes[slots[at]! * dimensionCount + dimension]!;
      }
      for (let at = 0; at < slots.length; at++) {
        const slope = slopes[slots[at]! * dimensionCount + dimension]!;
        gradient[start + at] = logRest[dimension]! * shares[start + at]! * (slope - mean);
      }
    }
    for (let level = 0; level < levelCount; level++) {
      let mean = 0;
      const row = level * tensorCount;
      for (let tensor = 0; tensor < tensorCount; tensor++) mean += weights[row + tensor]! * weightSlopes[row + tensor]!;
      for (let tensor = 0; tensor < tensorCount; tensor++) {
        gradient[orderStart + row + tensor] = weights[row + tensor]! * (weightSlopes[row + tensor]! - mean);
      }
    }
  }

  return {
    parameters,
    gradient,
    logBounds,
    stationary(level) {
      let best = 0;
      const row = orderStart + level * tensorCount;
      for (let tensor = 1; tensor < tensorCount; tensor++) {
        if (parameters[row + tensor]! > parameters[row + best]!) best = tensor;
      }
      return best;
    },
    differentiate() {
      layOut();
      slopes.fill(0);
      weightSlopes.fill(0);
      const loss = addEnergy() + addLatency() + addPenalties();
      pullBack();
      return loss;
    },
  };
}

function listFlows({ tables, slotsOf }: Mapspace, rates: Rates, keep: Uint8Array): Flow[] {
  const { levelCount, spaces } = tables;
  const hasLoops = (level: number): boolean => slotsOf.some((slots) => slots.includes(TEMPORAL * levelCount + level));
  return spaces.flatMap(({ readWrite }, tensor) => {
    const kept = Array.from({ length: levelCount }, (_, level) => level).filter(
      (level) => keep[level * spaces.length + tensor] === 1,
    );
    const perWord = (level: number): number => {
      const words = rates.wordsPerAccess[level * spaces.length + tensor]!;
      return words > 1 ? 1 / words : rates.accessesPerWord[level * spaces.length + tensor]!;
    };
    return kept.map((outer, at) => {
      const inner = kept[at + 1] ?? levelCount;
      let nearest = inner - 1;
      while (nearest >= 0 && !hasLoops(nearest)) nearest--;
      return {
        tensor,
        outer,
        inner,
        nearest,
        outerPj: perWord(outer) * (rates.readPj[outer]! + (readWrite ? rates.updatePj[outer]! : 0)),
        innerPj: inner === levelCount ? 0 : perWord(inner) * rates.writePj[inner]!,
      };
    });
  });
}
