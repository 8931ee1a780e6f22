import type { Reproduction } from "../reproduction/reproduction.js";
export const fracTrainReproduction = undefined as unknown as Reproduction;
