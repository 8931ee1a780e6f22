// The methods of `dovetail train`: low precision, weights in another form, layers of shifts and additions.

import { z } from "zod";
import { methodSchema } from "./fractrain/methods.js";
import { type ShiftAddMethod, shiftAddMethods } from "./shiftaddnet/methods.js";
import { type SmartDealMethod, smartDealMethods } from "./smartdeal/methods.js";

/** A method with its settings. */
export const trainingMethodSchema = z.discriminatedUnion("kind", [
  ...methodSchema.options,
  ...smartDealMethods,
  ...shiftAddMethods,
]);

type TrainingMethod = z.output<typeof trainingMethodSchema>;
export type TrainingMethodKind = TrainingMethod["kind"];

/** Whether a method trains coefficients and bases in the place of weights. */
export function isSmartDeal(method: TrainingMethod): method is SmartDealMethod {
  return smartDealMethods.some(({ shape }) => shape.kind.value === method.kind);
}

/** Whether a method trains layers of shifts or additions. */
export function isShiftAdd(method: TrainingMethod): method is ShiftAddMethod {
  return shiftAddMethods.some(({ shape }) => shape.kind.value === method.kind);
}
