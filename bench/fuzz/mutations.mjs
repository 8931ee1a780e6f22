// Changes to texts and bytes. Each takes what it changes and a stream of random numbers.

const numbers = [
  "0",
  "-1",
  "1",
  "2",
  "1.5",
  "7",
  "13",
  "1000",
  "65536",
  "4294967296",
  "9007199254740993",
  "1e9",
  "1e308",
  ".inf",
  ".nan",
  "-0",
  "0x10",
  "''",
];
const values = [
  "null",
  "[]",
  "{}",
  "true",
  "text",
  "[1, 2]",
  "{ a: 1 }",
  "''",
  "*x",
  "&x 1",
  "!!binary aGk=",
  "2026-01-01",
  "[[]]",
  "~",
];
const pieces = [
  ":",
  "-",
  "#",
  "'",
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  "\t",
  "\n",
  " ",
  "&a",
  "*a",
  "<<: *a",
  "%",
  "@",
  "\u0000",
  "é",
  "\u2028",
  "---\n",
  "...\n",
  "? ",
  "| ",
  "> ",
];

const pick = (random, list) => list[random.integer(list.length)];

/** Every place at which a pattern matches. */
const places = (text, pattern) => [...text.matchAll(pattern)].map((match) => [match.index, match[0].length]);

function replaceAt(text, random, pattern, make) {
  const found = places(text, pattern);
  if (found.length === 0) return text;
  const [at, length] = pick(random, found);
  return text.slice(0, at) + make(text.slice(at, at + length)) + text.slice(at + length);
}

function changeLines(text, change) {
  const lines = text.split("\n");
  change(lines);
  return lines.join("\n");
}

const number = /(?<![\w.])\d+(?:\.\d+)?(?![\w.])/g;
const word = /[A-Za-z_][A-Za-z0-9_]*/g;

const textChanges = [
  (text, random) => replaceAt(text, random, number, () => pick(random, numbers)),
  (text, random) =>
    replaceAt(text, random, number, (found) => String(Math.max(0, Number(found) + pick(random, [-1, 1])))),
  (text, random) => replaceAt(text, random, number, (found) => String(Number(found) * pick(random, [2, 3, 0.5, 16]))),
  (text, random) => replaceAt(text, random, number, () => String(1 + random.integer(12))),
  (text, random) =>
    replaceAt(text, random, word, () =>
      pick(
        random,
        [...text.matchAll(word)].map(([found]) => found),
      ),
    ),
  (text, random) => replaceAt(text, random, word, (found) => found + pick(random, ["s", "_", "1", ""])),
  (text, random) => replaceAt(text, random, /: .+/g, () => `: ${pick(random, values)}`),
  (text, random) => replaceAt(text, random, /[A-Z]=\d+/g, () => ""),
  (text, random) =>
    replaceAt(text, random, /\[[^[\]]*\]/g, () => pick(random, ["[]", "[M=2, M=2]", "[P=3]", "[Q=1000000007]"])),
  (text, random) => changeLines(text, (lines) => lines.splice(random.integer(lines.length), 1)),
  (text, random) =>
    changeLines(text, (lines) => {
      const at = random.integer(lines.length);
      lines.splice(at, 0, lines[at]);
    }),
  (text, random) =>
    changeLines(text, (lines) => {
      const [a, b] = [random.integer(lines.length), random.integer(lines.length)];
      [lines[a], lines[b]] = [lines[b], lines[a]];
    }),
  (text, random) =>
    changeLines(text, (lines) => {
      const at = random.integer(lines.length);
      lines[at] = pick(random, [`  ${lines[at]}`, lines[at].slice(1), `\t${lines[at]}`]);
    }),
  (text, random) => {
    const at = random.integer(text.length + 1);
    return text.slice(0, at) + pick(random, pieces) + text.slice(at);
  },
  (text, random) => {
    const at = random.integer(text.length);
    return text.slice(0, at) + text.slice(at + 1 + random.integer(4));
  },
  (text, random) => text.slice(0, random.integer(text.length)),
];

/** One to three changes to a text; most keep it readable, so that what lies behind the reader is reached. */
export function mutateText(text, random) {
  let changed = text;
  for (let left = 1 + random.integer(3); left > 0; left--) {
    // The first four change numbers: half of all changes.
    const change = random.integer(2) === 0 ? textChanges[random.integer(4)] : pick(random, textChanges);
    changed = change(changed, random);
  }
  return changed;
}

const byteChanges = [
  (bytes, at, random) => bytes.with(at, bytes[at] ^ (1 << random.integer(8))),
  (bytes, at, random) => bytes.with(at, random.integer(256)),
  (bytes, at, random) => bytes.with(at, pick(random, [0, 1, 2, 127, 128, 255])),
  (bytes, at, random) => splice(bytes, at, 1 + random.integer(8), []),
  (bytes, at, random) => splice(bytes, at, 0, bytes.subarray(at, at + 1 + random.integer(16))),
  (bytes, at, random) =>
    splice(
      bytes,
      at,
      0,
      Array.from({ length: 1 + random.integer(10) }, () => random.integer(256)),
    ),
  (bytes, at) => bytes.slice(0, at),
  (bytes, at, random) => {
    const from = random.integer(bytes.length);
    return splice(bytes, at, 4, bytes.subarray(from, from + 4));
  },
];

function splice(bytes, at, removed, added) {
  const rest = bytes.subarray(Math.min(bytes.length, at + removed));
  return Uint8Array.from([...bytes.subarray(0, at), ...added, ...rest]);
}

/** One to four changes to bytes. `where`: bytes that are worth changing; weights are not. */
export function mutateBytes(bytes, random, where) {
  let changed = bytes;
  for (let left = 1 + random.integer(4); left > 0 && changed.length > 0; left--) {
    // Single bits and bytes keep the file readable.
    const change = random.integer(3) < 2 ? byteChanges[random.integer(3)] : pick(random, byteChanges);
    const at = random.integer(8) === 0 ? random.integer(changed.length) : pick(random, where);
    if (at < changed.length) changed = change(changed, at, random);
  }
  return changed;
}
