// The attacks by the names that commands and reports use.

import { inputError, nearestWord } from "@dovetail/core";
import { apgdCe, apgdDlr, apgdT } from "./apgd.js";
import type { Attack } from "./attack.js";
import { autoAttack } from "./auto-attack.js";
import { bandits } from "./bandits.js";
import { cwLinf, cwTau } from "./cw.js";
import { fab, fabT } from "./fab.js";
import { fgsm, fgsmRs } from "./fgsm.js";
import { pgd } from "./pgd.js";
import { square } from "./square.js";

/** How much work attacks do; each one's own settings where nothing is said. */
export interface AttackEffort {
  /** Steps of PGD and of the attacks of AutoAttack. */
  readonly steps?: number | undefined;
  readonly restarts?: number | undefined;
  /** Queries of Square and Bandits. */
  readonly queries?: number | undefined;
}

/** What an attack is, in a line. */
export interface AttackEntry {
  readonly meaning: string;
  readonly create: (effort: AttackEffort) => Attack;
  /** False where points may lie further than epsilon from the original. */
  readonly isBounded: boolean;
  /** By forward passes alone. */
  readonly isBlackBox: boolean;
}

const bounded = { isBounded: true, isBlackBox: false } as const;
const blackBox = { isBounded: true, isBlackBox: true } as const;

/** On a defence that draws, all of them ascend the exact expectation over its variants. */
export const attackTable = {
  fgsm: { ...bounded, meaning: "one sign step", create: () => fgsm() },
  "fgsm-rs": { ...bounded, meaning: "one sign step from a random start", create: () => fgsmRs() },
  pgd: {
    ...bounded,
    meaning: "20 sign steps, the points after the last",
    create: ({ steps, restarts }) => pgd({ steps, restarts }),
  },
  "mi-pgd": {
    ...bounded,
    meaning: "20 sign steps with momentum 1",
    create: ({ steps, restarts }) => pgd({ name: "mi-pgd", momentum: 1, steps, restarts }),
  },
  "eot-pgd": {
    ...bounded,
    meaning: "50 sign steps from 5 starts, the worst point of all",
    create: ({ steps = 50, restarts = 5 }) => pgd({ name: "eot-pgd", steps, restarts, keep: "best" }),
  },
  "cw-linf": {
    ...bounded,
    meaning: "sign steps on the margin of Carlini and Wagner",
    create: ({ steps = 100, restarts }) => cwLinf({ steps, restarts }),
  },
  "cw-tau": {
    ...bounded,
    isBounded: false,
    meaning: "CW-∞ as Double-Win Quant published it, not bounded by epsilon",
    create: ({ steps }) => cwTau({ steps }),
  },
  "apgd-ce": { ...bounded, meaning: "Auto-PGD on cross-entropy", create: apgdCe },
  "apgd-dlr": { ...bounded, meaning: "Auto-PGD on the difference of logits ratio", create: apgdDlr },
  "apgd-t": { ...bounded, meaning: "Auto-PGD on the targeted ratio, 9 targets", create: apgdT },
  fab: { ...bounded, meaning: "nearest boundary of all classes, 5 restarts", create: fab },
  "fab-t": { ...bounded, meaning: "nearest boundary of 9 target classes", create: fabT },
  square: { ...blackBox, meaning: "random windows, 5,000 queries", create: ({ queries }) => square({ queries }) },
  bandits: {
    ...blackBox,
    meaning: "bandit gradient estimates, 10,000 queries",
    create: ({ queries }) => bandits({ queries }),
  },
  autoattack: {
    ...bounded,
    meaning: "AutoAttack's standard version",
    create: ({ steps, queries }) => autoAttack({ steps, queries }),
  },
  "autoattack-plus": {
    ...bounded,
    meaning: "AutoAttack's plus version",
    create: ({ steps, queries }) => autoAttack({ version: "plus", steps, queries }),
  },
  "autoattack-rand": {
    ...bounded,
    meaning: "AutoAttack's rand version, for defences that draw",
    create: ({ steps }) => autoAttack({ version: "rand", steps }),
  },
} as const satisfies Readonly<Record<string, AttackEntry>>;

export type AttackName = keyof typeof attackTable;

/** An attack by its name. Throws an input error that names the attacks when there is none. */
export function attackNamed(name: string, effort: AttackEffort = {}): Attack {
  const entry: AttackEntry | undefined = Object.hasOwn(attackTable, name) ? attackTable[name as AttackName] : undefined;
  if (entry) return entry.create(effort);
  const names = Object.keys(attackTable);
  const near = nearestWord(name, names);
  throw inputError("unknown_attack", "no such attack", {
    expected: `one of ${names.join(", ")}`,
    received: name,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}
