import type { MappingCost } from "../cost/cost.js";
import type { Comparison, CountDifference, Mechanism } from "./compare.js";
import type { ZigZagComparison, ZigZagMechanism } from "./compare-zigzag.js";

/** Why a count of the model *timeloop* is not the exact one. */
export const mechanismTexts: Readonly<Record<Mechanism, string>> = {
  extrapolation: "iterations 0 and 1 stand for all: a loop seems to start over from iteration 1",
  turns: "the tile moves another way than in its innermost loop: timeloop brings all of it again",
  bypass: "a level that is passed by: timeloop multiplies by its different tiles, whatever they share in time",
  sharedSums: "a sum that comes back: timeloop writes it into every child that shares it, exact into one",
  gaps: "strides leave gaps: timeloop counts the box, exact the words that are read",
  firstSums: "first sums: timeloop takes a share of the tensor off, exact the sums that begin at zero",
  links: "neighbours: timeloop passes on tiles that match as a whole, exact every word that a sibling holds",
  multicast: "the network: timeloop sends children with the same tile together, exact what the architecture says",
  remainders: "remainders: timeloop computes the padded layer, exact the layer",
};

/** Why a count of ZigZag's model is not the exact one. */
export const zigzagMechanismTexts: Readonly<Record<ZigZagMechanism, string>> = {
  held: "ZigZag reads the innermost memory once for as long as a unit can hold the word",
  sentUp: "ZigZag reads a sum in the memory that it leaves for the next",
  firstSums: "ZigZag reads and moves the first sum of a word too",
  window: "windows: ZigZag brings every tile whole, and serves units that share part of a window together",
  tiles: "ZigZag brings a tile in every round of the loops outside, or shares words between units otherwise",
};

/** Totals side by side, then every count that differs with its reasons. */
export function printComparison({ timeloop, exact, padded, differences, zigzag }: Comparison): string {
  const [zigzagEnergy, zigzagCycles] = zigzag.ok
    ? [nanojoules(zigzag.cost.energyPj), String(zigzag.cost.latencyCycles)]
    : ["-", "-"];
  const sizes = Object.entries(padded).map(([name, size]) => `${name}=${size}`);
  return [
    ...(sizes.length > 0 ? [`timeloop: of the layer padded to ${sizes.join(" ")}`] : []),
    ...(timeloop.ok ? [] : [`timeloop refuses the mapping: ${timeloop.reason} ${timeloop.level ?? ""}`.trimEnd()]),
    ...table([
      ["", "timeloop", "exact", "zigzag"],
      ["energy nJ", timeloop.ok ? nanojoules(timeloop.energyPj) : "-", nanojoules(exact.energyPj), zigzagEnergy],
      ["cycles", timeloop.ok ? String(timeloop.latencyCycles) : "-", String(exact.latencyCycles), zigzagCycles],
    ]),
    ...(timeloop.ok ? cycleReasons(timeloop, exact) : []),
    "",
    ...(differences.length === 0
      ? ["timeloop and exact: all counts are equal."]
      : ["Counts that differ, in words of all instances:"]),
    ...differences.flatMap(describeDifference),
    "",
    ...describeZigZag(zigzag, exact),
  ].join("\n");
}

function describeZigZag(zigzag: ZigZagComparison, exact: MappingCost): string[] {
  if (!zigzag.ok) return [`zigzag: not comparable: ${zigzag.why}`];
  const { stallCycles, onloadingCycles, offloadingCycles, latencyCycles } = zigzag.cost;
  return [
    ...(latencyCycles === exact.latencyCycles
      ? []
      : [
          `zigzag: waits ${stallCycles} cycles at ports, ${onloadingCycles} before and ${offloadingCycles} after the ` +
            "computation",
        ]),
    ...zigzag.leftOut.map((text) => `zigzag: ${text}`),
    ...(zigzag.differences.length === 0
      ? ["zigzag and exact: all counts are equal."]
      : ["zigzag and exact, counts that differ:"]),
    ...zigzag.differences.flatMap(({ level, dataSpace, kind, zigzag: theirs, exact: ours, parts }) => [
      `${level}.${dataSpace}.${kind}: zigzag ${theirs}, exact ${ours}`,
      ...parts.map(({ mechanism, words }) => describePart(words, zigzagMechanismTexts[mechanism])),
    ]),
  ];
}

function describePart(words: number, text: string): string {
  return `  ${words < 0 ? "−" : "+"}${Math.abs(words)}  ${text}`;
}

function describeDifference({ level, dataSpace, kind, timeloop, exact, parts }: CountDifference): string[] {
  return [
    `${level}.${dataSpace}.${kind}: timeloop ${timeloop}, exact ${exact}`,
    ...parts.map(
      ({ mechanism, words }) => `  ${words < 0 ? "−" : "+"}${Math.abs(words)}  ${mechanismTexts[mechanism]}`,
    ),
  ];
}

/** What else the cycles differ by than by counts at the ports. */
function cycleReasons(timeloop: MappingCost, { compute, exactCycles, latencyCycles }: MappingCost): string[] {
  if (timeloop.latencyCycles === latencyCycles) return [];
  const { fillCycles, drainCycles } = exactCycles!;
  const alone = fillCycles + compute.cycles + drainCycles;
  return [
    ...(timeloop.compute.cycles === compute.cycles
      ? []
      : [`  units: timeloop ${timeloop.compute.cycles} cycles, exact ${compute.cycles}`]),
    ...(Math.ceil(alone * (1 - 1e-12)) === latencyCycles && alone > compute.cycles
      ? [
          `  exact also counts the first tiles coming in and the last results going out: ${(alone - compute.cycles).toFixed(1)} cycles`,
        ]
      : []),
  ];
}

function nanojoules(pj: number): string {
  return (pj / 1000).toFixed(3);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join("  "),
  );
}
