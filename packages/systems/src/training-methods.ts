// The methods of `dovetail train`: low precision, and weights in another form.

import { z } from "zod";
import { methodSchema } from "./fractrain/methods.js";
import { type SmartDealMethod, smartDealMethods } from "./smartdeal/methods.js";

/** A method with its settings. */
export const trainingMethodSchema = z.discriminatedUnion("kind", [...methodSchema.options, ...smartDealMethods]);

export type TrainingMethodKind = z.output<typeof trainingMethodSchema>["kind"];

/** Whether a method trains coefficients and bases in the place of weights. */
export function isSmartDeal(method: z.output<typeof trainingMethodSchema>): method is SmartDealMethod {
  return smartDealMethods.some(({ shape }) => shape.kind.value === method.kind);
}
