import {
  type Accelerator,
  type CostModel,
  fusionArrayAreaUm2,
  type ScalableMachineKind,
  scalableMachine,
  scalableMachineKinds,
} from "@dovetail/hardware";

/** Machines on the same area of units, and the model that costs them. */
export interface Variant {
  readonly name: VariantName;
  /** As a clause: "… : 5 of 24". */
  readonly title: string;
  readonly machines: Readonly<Record<ScalableMachineKind, Accelerator>>;
  readonly model: CostModel;
}

export const variantNames = ["grouped", "lone", "mixed", "timeloop"] as const;
export type VariantName = (typeof variantNames)[number];

/**
 * - `grouped`: sixteen units of every kind share an accumulator
 * - `lone`: every unit has its own
 * - `mixed`: as `grouped`, but Stripes' lanes have one each
 * - `timeloop`: as `grouped`, costed by Timeloop's counts
 */
export function variantOf(name: VariantName): Variant {
  switch (name) {
    case "grouped":
      return {
        name,
        title: "sixteen units of every kind share an accumulator",
        machines: machines(16),
        model: "exact",
      };
    case "lone":
      return { name, title: "every unit with an accumulator of its own", machines: machines(1), model: "exact" };
    case "mixed":
      return {
        name,
        title: "Stripes' lanes with an accumulator each, the others grouped",
        machines: { ...machines(16), serial: scalableMachine({ kind: "serial", sharing: 1 }) },
        model: "exact",
      };
    case "timeloop":
      return { name, title: "counted by Timeloop's rules", machines: machines(16), model: "timeloop" };
  }
}

function machines(sharing: number): Variant["machines"] {
  const arrayAreaUm2 = fusionArrayAreaUm2(sharing);
  return Object.fromEntries(
    scalableMachineKinds.map((kind) => [kind, scalableMachine({ kind, sharing, arrayAreaUm2 })]),
  ) as Variant["machines"];
}
