import { inputError } from "@dovetail/core";
import {
  acceleratorAreaMm2,
  type PublishedNetwork,
  type ScalableMachineKind,
  scalableMachineKinds,
} from "@dovetail/hardware";
import { z } from "zod";
import { expectedCost } from "../precision-set.js";
import type { NetworkFrameCost } from "./machine-cost.js";
import { type VariantName, variantNames, variantOf } from "./variants.js";

/** The paper's networks; every layer runs at the precision of the image. */
export const studyNetworks = ["AlexNet", "VGG-16", "ResNet-18", "ResNet-50"] as const satisfies PublishedNetwork[];

/** Precisions at which the paper's unit is to be ahead. */
export const middlePrecisions = [3, 4, 5, 6, 7, 8] as const;

/** The precisions that random inference draws from in the publication (seeds-hardware.md section 5.1). */
export const publishedSet = [4, 5, 6, 7, 8] as const;

/** Stands wherever a ratio to Bit Fusion's unit is printed. */
export const fairness =
  "Bit Fusion's unit keeps a tree of shifts of its own, as published, while 2-in-1's sums equal significances over sixteen units before it shifts. A Bit Fusion unit grouped in the same way was not measured (its synthesis did not end: rtl.md section 4.3), so how much of a ratio between the two is grouping and how much is tiling is open.";

const costSchema = z.object({
  energyPj: z.number(),
  latencyCycles: z.number(),
  unitPj: z.number(),
  memoryBoundCycles: z.number(),
});

export const resultSchema = z.object({
  variant: z.enum(variantNames),
  network: z.enum(studyNetworks),
  seed: z.number(),
  /** By kind of unit, then by bits. */
  costs: z.record(z.enum(scalableMachineKinds), z.record(z.coerce.number(), costSchema)),
});

/** One network at all precisions on all machines of a variant. */
export type StudyResult = z.output<typeof resultSchema>;

/** Cost of an image at a precision. Throws `precision_set` where the study has none. */
export function costAt(result: StudyResult, kind: ScalableMachineKind, bits: number): NetworkFrameCost {
  const cost = result.costs[kind][bits];
  if (cost !== undefined) return cost;
  throw inputError("precision_set", "no cost at this precision", {
    expected: `one of ${Object.keys(result.costs[kind]).join(", ")} bit`,
    received: `${bits} bit`,
  });
}

/** Expected cost of an image whose precision is drawn uniformly from a set: the mean of those at its precisions. */
export function expectedFrameCost(
  result: StudyResult,
  kind: ScalableMachineKind,
  precisionSet: readonly number[],
): NetworkFrameCost {
  const mean = (figure: keyof NetworkFrameCost): number =>
    expectedCost(precisionSet, (bits) => costAt(result, kind, bits)[figure]);
  return {
    energyPj: mean("energyPj"),
    latencyCycles: mean("latencyCycles"),
    unitPj: mean("unitPj"),
    memoryBoundCycles: mean("memoryBoundCycles"),
  };
}

/** Images a second on a square millimetre of array and memories. */
export function framesPerSecondMm2(
  variant: VariantName,
  kind: ScalableMachineKind,
  { latencyCycles }: Pick<NetworkFrameCost, "latencyCycles">,
): number {
  const machine = variantOf(variant).machines[kind];
  return (machine.clockMhz * 1e6) / latencyCycles / acceleratorAreaMm2(machine)!;
}

/** Images a second on an area, or images a joule, of 2-in-1 over another machine: above 1, 2-in-1 is ahead. */
export function advantage(
  result: StudyResult,
  other: ScalableMachineKind,
  figure: "speed" | "energy",
  precisionSet: readonly number[],
): number {
  const [ours, theirs] = (["tiledSerial", other] as const).map((kind) => {
    const cost = expectedFrameCost(result, kind, precisionSet);
    return figure === "speed" ? framesPerSecondMm2(result.variant, kind, cost) : 1 / cost.energyPj;
  });
  return ours! / theirs!;
}
