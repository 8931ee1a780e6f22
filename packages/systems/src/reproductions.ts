import { fracTrainReproduction } from "./fractrain/reproduction.js";
import { instantNetReproduction } from "./instantnet/reproduction.js";
import type { Reproduction } from "./reproduction/reproduction.js";
import { shiftAddNetReproduction } from "./shiftaddnet/reproduction.js";
import { smartDealReproduction } from "./smartdeal/reproduction.js";
import { smartExchangeReproduction } from "./smartexchange/reproduction.js";
import { twoInOneReproduction } from "./two-in-one/reproduction.js";

const all = [
  fracTrainReproduction,
  instantNetReproduction,
  shiftAddNetReproduction,
  smartDealReproduction,
  smartExchangeReproduction,
  twoInOneReproduction,
];

/** What `dovetail reproduce` can run, by name. */
export const reproductions: Readonly<Record<string, Reproduction>> = Object.fromEntries(
  all.map((reproduction) => [reproduction.system, reproduction]),
);
