import { fracTrainReproduction } from "./fractrain/reproduction.js";
import type { Reproduction } from "./reproduction/reproduction.js";

/** What `dovetail reproduce` can run, by name. */
export const reproductions: Readonly<Record<string, Reproduction>> = Object.fromEntries(
  [fracTrainReproduction].map((reproduction) => [reproduction.system, reproduction]),
);
