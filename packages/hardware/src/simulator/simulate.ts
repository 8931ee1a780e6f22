import { inputError, internalError } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import type { Mapping } from "../mapping/mapping.js";
import { type DataSpace, macCount, type Problem } from "../workload/problem.js";
import { networkBetween } from "./links.js";
import { boxOf, createMachine, iterate, type Machine, positionAt } from "./machine.js";
import { createOperandStream, type Moved, nothingMoved } from "./operands.js";
import { accumulate, createHoldings, createResultStream, type Holdings } from "./results.js";
import { createTiming, type Timing } from "./timing.js";
import { createWordFinder, type WordFinder } from "./words.js";

// Executes a mapping of a small layer, iteration by iteration, with every word in an explicit set. The referee of the
// cost models: it shares no counting with them.

export interface SimulationOptions {
  /** Whether siblings pass words on, where the fan-outs have links. Default true. */
  readonly neighbourLinks?: boolean | undefined;
  /** Whether a sum that was not begun is free of the read. Default true. */
  readonly elideFirstReads?: boolean | undefined;
  /** Most multiply-accumulates of a layer. Default 100,000. */
  readonly macLimit?: number | undefined;
}

/** Words of one tensor at one level, over all its instances. */
export interface SimulatedTraffic {
  readonly reads: number;
  readonly fills: number;
  readonly updates: number;
}

export interface Simulation {
  /** [level][data space]; undefined where the level does not keep it. */
  readonly traffic: readonly (readonly (SimulatedTraffic | undefined)[])[];
  /** [level], and last the units: those that ever work. */
  readonly instances: readonly number[];
  readonly macs: number;
  /** Cycles in which units work. */
  readonly computeCycles: number;
  /** With transfers, under the rules of `timing.ts`. */
  readonly cycles: number;
}

/** What a stream of the timing carries off. */
type Departure = readonly [stream: number, moved: Moved];

/** One tensor's way through the machine. */
interface Journey {
  /** Everything that leaves its place as the loops come to a position (or to their end), from the inside outwards. */
  leave(indices: readonly number[] | undefined): Departure[];
  /** Everything that is brought there, from the outside inwards. */
  enter(indices: readonly number[]): void;
  readonly traffic: readonly (Moved | undefined)[];
}

/**
 * Runs a mapping. Bounds may cover more than the layer: what lies beyond it is not executed.
 *
 * @throws DovetailError `layer_too_large` beyond the limit.
 */
export function simulateMapping(
  problem: Problem,
  architecture: Architecture,
  mapping: Mapping,
  options: SimulationOptions = {},
): Simulation {
  const { macLimit = 100_000 } = options;
  const macs = macCount(problem);
  if (macs > macLimit) {
    throw inputError("layer_too_large", "the layer is too large to be executed step by step", {
      expected: `at most ${macLimit} multiply-accumulates`,
      received: String(macs),
    });
  }
  const machine = createMachine(problem, architecture, mapping);
  const instances = machine.instances.map((places, level) => working(machine, level, places));
  const timing = createTiming(problem, architecture, instances);
  const journeys = problem.dataSpaces.map((space, index) => {
    const keepers = mapping.levels.flatMap(({ keep }, level) => (keep.includes(space.name) ? [level] : []));
    const route = { problem, architecture, machine, space, index, keepers, timing, options };
    return space.readWrite ? resultJourney(route) : operandJourney(route);
  });
  let executed = 0;
  let computeCycles = 0;
  for (const indices of iterate(machine)) {
    const departures = journeys.flatMap((journey) => journey.leave(indices));
    for (const journey of journeys) journey.enter(indices);
    for (const departure of departures) timing.carryOff(...departure);
    timing.compute();
    computeCycles++;
    executed += working(machine, machine.levelCount, machine.instances[machine.levelCount]!, indices);
  }
  for (const departure of journeys.flatMap((journey) => journey.leave(undefined))) timing.carryOff(...departure);
  if (executed !== macs) throw internalError("simulator_macs", `executed ${executed} of ${macs} multiply-accumulates`);
  const traffic = mapping.levels.map((_, level) => journeys.map((journey) => journey.traffic[level]));
  return {
    traffic: traffic.map((row) =>
      row.map((moved) => moved && { reads: moved.reads + moved.passed, fills: moved.fills, updates: moved.updates }),
    ),
    instances,
    macs,
    computeCycles,
    cycles: timing.end(),
  };
}

/** Instances with work to do at an iteration; at the first one all that ever have any. */
function working(
  machine: Machine,
  level: number,
  places: Machine["instances"][number],
  indices: readonly number[] = machine.temporal.map(() => 0),
): number {
  const position = positionAt(machine, indices, level);
  return places.filter((place) => boxOf(machine, level, position, place).size.every((size) => size > 0)).length;
}

interface Route {
  readonly problem: Problem;
  readonly architecture: Architecture;
  readonly machine: Machine;
  readonly space: DataSpace;
  readonly index: number;
  /** Levels that keep the tensor, outermost first. */
  readonly keepers: readonly number[];
  readonly timing: Timing;
  readonly options: SimulationOptions;
}

function operandJourney({ problem, architecture, machine, space, index, keepers, timing, options }: Route): Journey {
  const { neighbourLinks = true } = options;
  const finder = createWordFinder(problem, space);
  const traffic = emptyTraffic(machine, keepers);
  const streams = keepers.map((parent, at) => {
    const child = keepers[at + 1] ?? machine.levelCount;
    const network = networkBetween(architecture, machine, parent, child, neighbourLinks);
    return {
      parent,
      child,
      stream: createOperandStream(machine, finder, { parent, child }, network),
      moves: movement(machine, child),
      clock: timing.addStream(index, { parent, child }),
    };
  });
  return {
    traffic,
    leave: () => [],
    enter(indices) {
      for (const { parent, child, stream, moves, clock } of streams) {
        const position = moves(indices);
        if (position === undefined) continue;
        const moved = stream.step(position);
        traffic[parent]!.reads += moved.reads;
        if (traffic[child]) {
          traffic[child].fills += moved.fills;
          traffic[child].passed += moved.passed;
        }
        timing.bring(clock, moved);
      }
    },
  };
}

function resultJourney({ problem, machine, space, index, keepers, timing, options }: Route): Journey {
  const { elideFirstReads = true } = options;
  const finder = createWordFinder(problem, space);
  const traffic = emptyTraffic(machine, keepers);
  // Beyond the outermost level that keeps the result stands all of it: what its instances share is added up there.
  const whole: Holdings = [new Map()];
  for (const word of wordsOfAll(problem, finder)) whole[0]!.set(word, { macs: 0, begun: false, working: true });
  const holdings = new Map(keepers.map((level) => [level, createHoldings(machine, level)]));
  const streams = keepers.map((child, at) => {
    const parent = keepers[at - 1];
    const ends = { parent: parent ?? 0, child };
    const above = parent === undefined ? whole : holdings.get(parent)!;
    return {
      parent,
      child,
      stream: createResultStream(machine, finder, ends, above, holdings.get(child)!, elideFirstReads),
      moves: movement(machine, child),
      clock: parent === undefined ? undefined : timing.addStream(index, ends),
    };
  });
  const innermost = keepers[keepers.length - 1]!;
  const units = timing.addStream(index, { parent: innermost, child: machine.levelCount });
  let accumulated: Moved | undefined;
  let positions: (number[] | undefined)[] = [];
  return {
    traffic,
    leave(indices) {
      const departures: Departure[] = accumulated ? [[units, accumulated]] : [];
      positions = streams.map(({ moves }) => indices && moves(indices));
      let outer: ReadonlySet<string> = new Set();
      const leaving = streams.map(({ stream }, at) => {
        if (indices && positions[at] === undefined) return new Set<string>();
        outer = stream.leaving(positions[at], outer);
        return outer;
      });
      for (const [at, { parent, stream, clock }] of [...streams.entries()].reverse()) {
        const moved = stream.leave(leaving[at]!);
        if (parent === undefined) continue;
        traffic[parent]!.updates += moved.updates;
        departures.push([clock!, moved]);
      }
      if (indices === undefined) checkSums(problem, whole[0]!);
      return departures;
    },
    enter(indices) {
      for (const [at, { parent, child, stream, clock }] of streams.entries()) {
        if (positions[at] === undefined) continue;
        const moved = stream.enter(positions[at]!);
        if (parent === undefined) continue;
        traffic[parent]!.reads += moved.reads;
        traffic[child]!.fills += moved.fills;
        timing.bring(clock!, moved);
      }
      const position = positionAt(machine, indices, machine.levelCount);
      const holders = holdings.get(innermost)!;
      accumulated = accumulate(machine, finder, innermost, holders, position, elideFirstReads);
      traffic[innermost]!.reads += accumulated.reads;
      traffic[innermost]!.updates += accumulated.updates;
      timing.bring(units, { ...nothingMoved(), reads: accumulated.reads });
    },
  };
}

function emptyTraffic(machine: Machine, keepers: readonly number[]): (Moved | undefined)[] {
  return Array.from({ length: machine.levelCount }, (_, level) =>
    keepers.includes(level) ? nothingMoved() : undefined,
  );
}

/** The position of a level's tiles, at the iterations at which they may move. */
function movement(machine: Machine, level: number): (indices: readonly number[]) => number[] | undefined {
  let before: string | undefined;
  return (indices) => {
    const outside = machine.temporal.flatMap((loop, at) => (loop.level < level ? [indices[at]] : [])).join();
    if (outside === before) return undefined;
    before = outside;
    return positionAt(machine, indices, level);
  };
}

function wordsOfAll(problem: Problem, finder: WordFinder): Iterable<number> {
  const size = Object.values(problem.dimensions);
  return finder.find({ low: size.map(() => 0), size });
}

/** Every result must be the sum of all its multiply-accumulates. */
function checkSums(problem: Problem, sums: ReadonlyMap<number, { readonly macs: number }>): void {
  const expected = macCount(problem) / sums.size;
  for (const { macs } of sums.values()) {
    if (macs !== expected) throw internalError("simulator_sums", `a result has ${macs} of ${expected} products`);
  }
}
