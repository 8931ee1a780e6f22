import type { Network } from "./links.js";
import { ancestor, type Box, boxOf, type Machine, type Vector } from "./machine.js";
import { noWords, type WordFinder, type Words, without } from "./words.js";

// A tensor that is only read, between a memory and its children (the instances of the next level that keeps it, or the
// units). A child holds its tile until the next one is there; while it has nothing to do, it keeps what it holds.

/** Words that one step moves between a level and its children, over all instances. */
export interface Moved {
  /** Read at the parents for their children. */
  reads: number;
  /** Written into the children. */
  fills: number;
  /** Read at the children for their siblings. */
  passed: number;
  /** Written into the parents from below. */
  updates: number;
}

export function nothingMoved(): Moved {
  return { reads: 0, fills: 0, passed: 0, updates: 0 };
}

export interface OperandStream {
  /** The children take what they need at this position of the loops outside them. */
  step(position: Vector): Moved;
}

interface Child {
  readonly place: Vector;
  holds: Words;
  /** Describes the tile that it holds. */
  shape: string;
}

export interface StreamEnds {
  readonly parent: number;
  /** Level of the children; one past the innermost for the units. */
  readonly child: number;
}

/** Units hold an operand only where links let them pass it on. */
export function createOperandStream(
  machine: Machine,
  finder: WordFinder,
  { parent, child }: StreamEnds,
  network: Network,
): OperandStream {
  const families = new Map<number, Child[]>();
  machine.instances[child]!.forEach((place, index) => {
    const above = ancestor(machine, child, index, parent);
    families.set(above, [...(families.get(above) ?? []), { place, holds: noWords, shape: "" }]);
  });
  const retains = child < machine.levelCount || network.links;
  return {
    step(position) {
      const moved = nothingMoved();
      for (const family of families.values()) serveFamily(machine, finder, child, position, family, network, moved);
      if (!retains) for (const family of families.values()) family.forEach(forget);
      return moved;
    },
  };
}

function forget(child: Child): void {
  child.holds = noWords;
  child.shape = "";
}

function serveFamily(
  machine: Machine,
  finder: WordFinder,
  level: number,
  position: Vector,
  family: readonly Child[],
  { multicast, links }: Network,
  moved: Moved,
): void {
  const busy = family
    .map((child) => ({ child, box: boxOf(machine, level, position, child.place) }))
    .filter(({ box }) => box.size.every((size) => size > 0));
  const around = new Set(links ? busy.flatMap(({ child }) => [...child.holds]) : []);
  const readTogether = new Map<string, number[]>();
  busy.forEach(({ child, box }, index) => {
    const tile = finder.find(box);
    const shape = shapeOf(finder, box);
    // What a child holds already is among what its siblings and itself hold.
    const fresh = without(tile, child.holds);
    const asked = without(fresh, around);
    if (level < machine.levelCount) {
      moved.fills += fresh.length;
      moved.passed += fresh.length - asked.length;
    }
    readTogether.set(multicast === "tiles" ? `${shape}|${child.shape}` : String(index), asked);
    child.holds = tile;
    child.shape = shape;
  });
  const readings = [...readTogether.values()];
  moved.reads += multicast === "fragments" ? new Set(readings.flat()).size : readings.flat().length;
}

/** Equal for boxes that begin at the same word and have the same sizes along the dimensions that matter. */
function shapeOf(finder: WordFinder, box: Box): string {
  return `${finder.first(box)}:${box.size.filter((_, index) => finder.relevant[index])}`;
}
