import * as z from "zod";

/** Dimensions stand in formulas such as `2*P + R`, hence plain identifiers. */
export const dimensionNameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected a dimension name: a letter or _, then letters, digits or _");

/** Levels, data spaces and documents. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, "expected a name: a letter or _, then letters, digits or any of _ . -");

/** Far beyond any quantity in our units, and small enough that no product of a few of them overflows. */
const LARGEST = 1e30;

export const positiveIntegerSchema = z.int().positive();
export const nonNegativeSchema = z.number().nonnegative().max(LARGEST);
export const positiveSchema = z.number().positive().max(LARGEST);
