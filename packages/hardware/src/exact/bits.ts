// Sets of places along one rank of a tensor, as bits. A rank seldom has more than a few hundred places.

/** Bit i of word ⌊i / 32⌋ is place i. `length` is the number of words in use. */
export interface Bits {
  words: Int32Array;
  length: number;
}

export function createBits(): Bits {
  return { words: new Int32Array(16), length: 0 };
}

/** Makes room for places 0 … count − 1, all absent. Allocates only to grow. */
export function clearBits(bits: Bits, count: number): void {
  bits.length = (count + 31) >>> 5;
  if (bits.words.length < bits.length) bits.words = new Int32Array(2 * bits.length);
  else bits.words.fill(0, 0, bits.length);
}

export function setBit({ words }: Bits, place: number): void {
  words[place >>> 5]! |= 1 << (place & 31);
}

/** Adds all places of the source, moved on by `shift` ≥ 0; what moves beyond the room is lost. */
export function addShifted(target: Bits, source: Bits, shift: number): void {
  const jump = shift >>> 5;
  const slide = shift & 31;
  // From the end, so that a set may be added to itself.
  for (let index = target.length - 1; index >= jump; index--) {
    target.words[index]! |= movedWord(source, index - jump, slide);
  }
}

/** Takes the places of the source, moved on by `shift` ≥ 0, away. */
export function removeShifted(target: Bits, source: Bits, shift: number): void {
  const jump = shift >>> 5;
  const slide = shift & 31;
  for (let index = jump; index < target.length; index++) {
    target.words[index]! &= ~movedWord(source, index - jump, slide);
  }
}

/** Places that the second set, moved on by `shift` ≥ 0, has in common with the first. */
export function countCommon(a: Bits, b: Bits, shift: number): number {
  const jump = shift >>> 5;
  const slide = shift & 31;
  let count = 0;
  for (let index = jump; index < a.length; index++) count += ones(a.words[index]! & movedWord(b, index - jump, slide));
  return count;
}

export function countBits({ words, length }: Bits): number {
  let count = 0;
  for (let index = 0; index < length; index++) count += ones(words[index]!);
  return count;
}

/** Repeats the set `bound` times, each `stride` further on. */
export function repeatBits(bits: Bits, stride: number, bound: number): void {
  for (let done = 1; done < bound; ) {
    const more = Math.min(done, bound - done);
    addShifted(bits, bits, more * stride);
    done += more;
  }
}

/** Word `index` of a set that is moved on by less than a word. */
function movedWord({ words, length }: Bits, index: number, slide: number): number {
  let word = index < length ? words[index]! << slide : 0;
  if (slide > 0 && index > 0 && index <= length) word |= words[index - 1]! >>> (32 - slide);
  return word;
}

function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
