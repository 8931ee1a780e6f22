import type { Architecture, Multicast } from "../architecture/architecture.js";
import type { Machine } from "./machine.js";

// What the networks between a memory and its children can do. Levels that keep nothing of a tensor stand in between:
// then the words pass several fan-outs, and all can do what the weakest of them can.

const weakestFirst: readonly Multicast[] = ["none", "tiles", "fragments"];

export interface Network {
  readonly multicast: Multicast;
  /** Whether children pass words on to one another. */
  readonly links: boolean;
}

/** The network from the instances of one level to those of an inner one. */
export function networkBetween(
  architecture: Architecture,
  machine: Machine,
  parent: number,
  child: number,
  neighbourLinks: boolean,
): Network {
  const fanouts = architecture.levels
    .slice(parent, child)
    .filter((_, index) => machine.children[parent + index]! > 1)
    .map((level) => level.fanout);
  const kinds = fanouts.map((fanout) => fanout?.multicast ?? "tiles");
  return {
    multicast: weakestFirst.find((kind) => kinds.includes(kind)) ?? "tiles",
    links: neighbourLinks && fanouts.length > 0 && fanouts.every((fanout) => fanout?.neighbourLinks === true),
  };
}
