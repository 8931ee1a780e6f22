import { readFileSync } from "node:fs";
import { type AttackEntry, attackTable, maskingCheckNames, ruleNames } from "@dovetail/attack";
import { expect, it } from "vitest";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

interface Parity {
  readonly setup: {
    readonly images: number;
    /** Of AutoAttack's gradient attacks. */
    readonly steps: number;
    readonly targets: number;
    readonly queries: number;
  };
  readonly cleanAccuracyFraction: number;
  readonly attacks: readonly {
    readonly attack: string;
    readonly peerAttack: { readonly of: string; readonly name: string };
    readonly ours: { readonly accuracyFraction: number };
    readonly peer: { readonly accuracyFraction: number };
    readonly difference: number;
  }[];
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`;
const list = (names: readonly string[]): string[] => names.map((name) => `- ${name}`);

function parity(): string[] {
  const file = new URL("../../../../bench/results/attack-parity.json", import.meta.url);
  const { setup, cleanAccuracyFraction, attacks } = JSON.parse(readFileSync(file, "utf8")) as Parity;
  return [
    `${setup.images} test images, ${percent(cleanAccuracyFraction)} right without attack; ` +
      `AutoAttack's attacks with ${setup.steps} steps, ${setup.targets} target classes, ${setup.queries} queries.`,
    "",
    ...markdownTable(
      ["attack", "peer", "ours", "theirs", "difference in points"],
      attacks.map(({ attack, peerAttack, ours, peer, difference }) => [
        attack,
        `${peerAttack.of} ${peerAttack.name}`,
        percent(ours.accuracyFraction),
        percent(peer.accuracyFraction),
        (100 * difference).toFixed(1),
      ]),
    ),
  ];
}

it("the page on attacks is current", async () => {
  const entries = Object.entries(attackTable) as [string, AttackEntry][];
  const tables = {
    attacks: markdownTable(
      ["name", "what it is", "bounded by ε", "passes"],
      entries.map(([name, { meaning, isBounded, isBlackBox }]) => [
        name,
        meaning,
        isBounded ? "yes" : "no",
        isBlackBox ? "forward" : "forward and backward",
      ]),
    ),
    masking: list(maskingCheckNames),
    rules: list(ruleNames),
    parity: parity(),
  };
  await expect(pageWithTables("models/attacks.md", tables)).toMatchFileSnapshot(pageFile("models/attacks.md"));
});
