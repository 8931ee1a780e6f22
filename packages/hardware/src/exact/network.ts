import type { Tables } from "../analysis/tables.js";
import type { Multicast } from "../architecture/architecture.js";

// What the network between a level and its children can do. The children of a level are the instances of the next inner
// level that keeps the tensor; the fan-outs of the levels between all have to be passed, and together they can do what
// the weakest of them can.

/** From the weakest to the strongest. */
export const NONE = 0;
export const TILES = 1;
export const FRAGMENTS = 2;
export type MulticastCode = typeof NONE | typeof TILES | typeof FRAGMENTS;

export const multicastCodes: Readonly<Record<Multicast, MulticastCode>> = {
  none: NONE,
  tiles: TILES,
  fragments: FRAGMENTS,
};

/** [level]: what its own fan-out can do. */
export interface Networks {
  readonly multicast: Uint8Array;
  readonly links: Uint8Array;
}

export function compileNetworks({ architecture }: Tables, neighbourLinks: boolean): Networks {
  const { levels } = architecture;
  return {
    multicast: Uint8Array.from(levels, ({ fanout }) => multicastCodes[fanout?.multicast ?? "tiles"]),
    links: Uint8Array.from(levels, ({ fanout }) => (neighbourLinks && fanout?.neighbourLinks ? 1 : 0)),
  };
}

/** Multicast between a level and an inner one, given the children in use at each level. */
export function multicastBetween(networks: Networks, used: Float64Array, parent: number, child: number): MulticastCode {
  let weakest: number = FRAGMENTS;
  let any = false;
  for (let level = parent; level < child; level++) {
    if (used[level] === 1) continue;
    any = true;
    weakest = Math.min(weakest, networks.multicast[level]!);
  }
  return any ? (weakest as MulticastCode) : TILES;
}

/** Whether the children pass words on to one another. */
export function linksBetween(networks: Networks, used: Float64Array, parent: number, child: number): boolean {
  let any = false;
  for (let level = parent; level < child; level++) {
    if (used[level] === 1) continue;
    any = true;
    if (networks.links[level] === 0) return false;
  }
  return any;
}
