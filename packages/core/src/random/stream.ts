import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";

// Every random draw in Dovetail comes from a stream that was passed in. A stream splits into named,
// independent streams, so that adding a draw in one place changes no draw in another.

/** A seeded, splittable stream of random numbers. Same seed and same calls: same numbers, on every platform. */
export interface RandomStream {
  /** Uniform integer in [0, 2³²). */
  uint32(): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Standard normal (Box–Muller, one of the pair; no hidden state). */
  normal(): number;
  /** Standard Gumbel, −log(−log u). */
  gumbel(): number;
  /** Fisher–Yates, in place; returns its argument. */
  shuffle<T extends MutableIndexed>(items: T): T;
  /** An independent stream that depends on this stream's seed and the label only, not on what was drawn so far. */
  split(label: string | number): RandomStream;
  /** Enough to go on from here: see `restoreRandomStream`. */
  state(): RandomStreamState;
}

/** Arrays and typed arrays alike. */
export interface MutableIndexed {
  readonly length: number;
  [index: number]: unknown;
}

export interface RandomStreamState {
  /** Identity of the stream, from which its splits derive. */
  readonly identity: readonly [number, number];
  readonly generator: readonly number[];
}

/** A stream from a seed (a non-negative safe integer). */
export function createRandomStream(seed: number): RandomStream {
  const low = mix(seed >>> 0, 0x9e3779b9);
  const high = mix(Math.floor(seed / 2 ** 32) >>> 0, low);
  return fromIdentity([low, high]);
}

/** The stream whose `state()` was taken. */
export function restoreRandomStream(state: RandomStreamState): RandomStream {
  return makeStream(state.identity, xoroshiro128plusFromState(state.generator));
}

function fromIdentity(identity: readonly [number, number]): RandomStream {
  const words: number[] = [];
  let word = mix(identity[0], identity[1]);
  for (let index = 0; index < 4; index++) {
    word = mix(word, identity[index % 2]! + index);
    words.push(word | 0);
  }
  if (!words.some((value) => value !== 0)) words[0] = 1;
  return makeStream(identity, xoroshiro128plusFromState(words));
}

function makeStream(identity: readonly [number, number], generator: JumpableRandomGenerator): RandomStream {
  const uint32 = (): number => generator.next() >>> 0;
  const uniform = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  const integer = (bound: number): number => Math.floor(uniform() * bound);
  return {
    uint32,
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    gumbel: () => -Math.log(-Math.log(uniform() || 2 ** -53)),
    shuffle(items) {
      for (let index = items.length - 1; index > 0; index--) {
        const other = integer(index + 1);
        const kept = items[index] as unknown;
        items[index] = items[other];
        items[other] = kept;
      }
      return items;
    },
    split: (label) => fromIdentity(childIdentity(identity, String(label))),
    state: () => ({ identity, generator: [...generator.getState()] }),
  };
}

function childIdentity(identity: readonly [number, number], label: string): [number, number] {
  let low = mix(identity[0], 0x85ebca6b);
  let high = mix(identity[1], 0xc2b2ae35);
  for (let index = 0; index < label.length; index++) {
    low = mix(low, label.charCodeAt(index));
    high = mix(high, low);
  }
  return [low, high];
}

/** MurmurHash3's finaliser over two words. */
function mix(a: number, b: number): number {
  let hash = (Math.imul(a, 0xcc9e2d51) ^ Math.imul(b, 0x1b873593)) >>> 0;
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return (hash + 0x9e3779b9) >>> 0;
}
