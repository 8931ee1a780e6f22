import type { Architecture } from "../architecture/architecture.js";
import type { Problem } from "../workload/problem.js";
import type { Moved, StreamEnds } from "./operands.js";

// When everything happens. Every buffer is double: the next tile comes in while the last one is in use.
//
// A cycle of the units begins when the one before it has ended and everything that it needs has arrived. What a step
// brings to the children of a level may be moved as soon as the tile before it is in use (so that the other half of the
// buffer is free), what left that half has been written back, and the parent has what it passes on. Results leave when
// the units have ended the cycle before. The instances of a level share its work evenly. A port does one thing at a
// time and is never idle while something could go through it. What comes first in the program goes first: cycle by cycle,
// first what comes in, from the outside inwards, then what goes out, from the inside outwards. What comes later uses the
// gaps, so that a tile can be brought while the transfers of the one in use go on.

type Port = "read" | "write" | "shared";

/** Between a level and its children, for one tensor. */
interface Stream extends StreamEnds {
  readonly space: number;
  /** End of the last transfer to the children. */
  arrived: number;
  /** End of the last transfer to the parents. */
  returned: number;
  /** When the tile that is in use came into use. */
  inUseSince: number;
  /** The tile that was brought last is not in use yet. */
  fresh: boolean;
}

export interface Timing {
  addStream(space: number, ends: StreamEnds): number;
  /** What the children of a stream take in for the next cycle; streams from the outside inwards. */
  bring(stream: number, moved: Moved): void;
  /** The units' next cycle. */
  compute(): void;
  /** What leaves the children of a stream after the last cycle; streams from the inside outwards. */
  carryOff(stream: number, moved: Moved): void;
  /** When all is done. */
  end(): number;
}

export function createTiming(problem: Problem, architecture: Architecture, instancesInUse: readonly number[]): Timing {
  const streams: Stream[] = [];
  const calendars = new Map<string, Calendar>();
  let computed = 0;
  let last = 0;

  /** Bits through a port of a level, not before `start`; returns the end. */
  const pass = (level: number, port: Port, bits: number, start: number): number => {
    const storage = architecture.levels[level]?.storage;
    const rates = {
      read: storage?.readBitsPerCycle,
      write: storage?.writeBitsPerCycle,
      shared: storage?.sharedBitsPerCycle,
    };
    const rate = rates[port];
    if (rate === undefined || bits === 0) return start;
    const key = `${level} ${port}`;
    const calendar = calendars.get(key) ?? [];
    calendars.set(key, calendar);
    const end = occupy(calendar, start, bits / (rate * instancesInUse[level]!));
    last = Math.max(last, end);
    return end;
  };
  const move = (level: number, space: number, read: number, written: number, start: number): number => {
    const bits = architecture.levels[level]?.storage?.wordBits ?? problem.dataSpaces[space]!.bitWidth;
    return Math.max(
      pass(level, "read", read * bits, start),
      pass(level, "write", written * bits, start),
      pass(level, "shared", (read + written) * bits, start),
    );
  };
  return {
    addStream(space, ends) {
      streams.push({ ...ends, space, arrived: 0, returned: 0, inUseSince: 0, fresh: false });
      return streams.length - 1;
    },
    bring(index, { reads, fills, passed }) {
      if (reads + fills + passed === 0) return;
      const stream = streams[index]!;
      const source = streams.find(({ space, child }) => space === stream.space && child === stream.parent);
      const start = Math.max(stream.inUseSince, stream.returned, source?.arrived ?? 0);
      stream.arrived = Math.max(
        move(stream.parent, stream.space, reads, 0, start),
        move(stream.child, stream.space, passed, fills, start),
      );
      stream.fresh = true;
    },
    compute() {
      const start = Math.max(computed, ...streams.map(({ arrived }) => arrived));
      for (const stream of streams) {
        if (stream.fresh) stream.inUseSince = start;
        stream.fresh = false;
      }
      computed = start + 1;
      last = Math.max(last, computed);
    },
    carryOff(index, { updates }) {
      if (updates === 0) return;
      const stream = streams[index]!;
      const inner = streams.find(({ space, parent }) => space === stream.space && parent === stream.child);
      const start = Math.max(computed, inner?.returned ?? 0);
      stream.returned = move(stream.parent, stream.space, 0, updates, start);
    },
    end: () => last,
  };
}

/** When a port is busy: intervals in rising order that do not touch. */
type Calendar = { start: number; end: number }[];

/** Takes the first idle time from `start` on, in pieces where it must; returns the end of the last one. */
function occupy(calendar: Calendar, start: number, duration: number): number {
  let first = calendar.length;
  while (first > 0 && calendar[first - 1]!.end >= start) first--;
  let at = start;
  let left = duration;
  let next = first;
  // Afterwards all is busy from the first interval on the way to the end: they become one.
  for (; next < calendar.length && calendar[next]!.start < at + left; next++) {
    left -= Math.max(0, calendar[next]!.start - at);
    at = Math.max(at, calendar[next]!.end);
  }
  const done = at + left;
  const begin = next > first ? Math.min(start, calendar[first]!.start) : start;
  const touching = calendar[next]?.start === done;
  const end = touching ? calendar[next]!.end : done;
  calendar.splice(first, next - first + (touching ? 1 : 0), { start: begin, end });
  return done;
}
