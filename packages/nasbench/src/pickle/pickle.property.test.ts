import { readFileSync } from "node:fs";
import { DovetailError } from "@dovetail/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { readPickle } from "./read-pickle.js";

const { cases } = JSON.parse(readFileSync(new URL("./pickles.golden.json", import.meta.url), "utf8")) as {
  cases: { base64: string }[];
};
const pickles = cases.map(({ base64 }) => new Uint8Array(Buffer.from(base64, "base64")));

/** Reads, or is refused with an error that says where. */
function readOrRefuse(bytes: Uint8Array): void {
  try {
    readPickle(bytes, { opcodes: 100_000, values: 10_000 });
  } catch (error) {
    expect(error).toBeInstanceOf(DovetailError);
    expect((error as Error).message).toMatch(/at byte \d+/);
  }
}

it("damaged pickles are read or refused, never anything else", () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(fc.constantFrom(...pickles), damages, fc.nat(), (pickle, changes, end) => {
      const damaged = pickle.slice(0, 1 + (end % (2 * pickle.length)));
      for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
      readOrRefuse(damaged);
    }),
    { numRuns: 3000 },
  );
});

it("any bytes are read or refused", () => {
  const opcodes = [..."(NIJKMLFGSTUVXBC])}ltdaesu012pqrghjcRb.iooPQ"].map((character) => character.charCodeAt(0));
  const byte = fc.oneof(fc.constantFrom(...opcodes, 0x80, 0x8c, 0x93, 0x94, 0x85), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), (list) => readOrRefuse(Uint8Array.from(list))),
    { numRuns: 5000 },
  );
});
