// For tests only: the fields of a schema as rows of a table.
import { z } from "zod";
import { markdownTable } from "./page.js";

/** The part of JSON Schema that our documents use. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | boolean;
  readonly prefixItems?: readonly JsonSchema[];
}

export interface Field {
  /** Dots between objects, `[]` behind a list. */
  readonly name: string;
  readonly value: string;
  readonly isRequired: boolean;
  /** As JSON; undefined where there is none. */
  readonly defaultValue: string | undefined;
  readonly description: string;
}

/** The fields of an object, those of inner objects in their places. `io`: as written (input) or as read (output). */
export function fieldsOf(schema: z.ZodType, io: "input" | "output"): Field[] {
  return fieldsIn(z.toJSONSchema(schema, { io }) as JsonSchema, "");
}

/** The forms of a schema that a field `kind` tells apart, each with its own fields. */
export function formsOf(schema: z.ZodType, io: "input" | "output"): ReadonlyMap<string, readonly Field[]> {
  const { oneOf = [] } = z.toJSONSchema(schema, { io }) as JsonSchema;
  return new Map(oneOf.map((form) => [String(form.properties?.kind?.const), fieldsIn(form, "")]));
}

function fieldsIn({ properties = {}, required = [] }: JsonSchema, prefix: string): Field[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const name = `${prefix}${key}`;
    const own: Field = {
      name,
      value: valueText(schema),
      isRequired: required.includes(key),
      defaultValue: schema.default === undefined ? undefined : JSON.stringify(schema.default),
      description: schema.description ?? "",
    };
    const inner = objectIn(schema, name);
    if (!inner) return [own];
    const fields = fieldsIn(inner.schema, `${inner.path}.`);
    return own.description === "" ? fields : [{ ...own, value: "" }, ...fields];
  });
}

/** The object that a field holds, or the entries of its list. */
function objectIn(schema: JsonSchema, path: string): { schema: JsonSchema; path: string } | undefined {
  if (schema.properties) return { schema, path };
  return typeof schema.items === "object" ? objectIn(schema.items, `${path}[]`) : undefined;
}

/** What a value may be, in words. */
export function valueText(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) {
    const isObject = forms.every(({ properties }) => properties);
    return isObject ? "" : forms.map((form) => valueText(form) || "an object").join(" or ");
  }
  if (schema.prefixItems) return `[${schema.prefixItems.map(valueText).join(", ")}]`;
  if (schema.type === "array")
    return `list of ${typeof schema.items === "object" ? valueText(schema.items) : "values"}`;
  if (schema.type === "number" || schema.type === "integer") return numberRange(schema);
  if (schema.type === "boolean") return "`true`, `false`";
  if (schema.type === "string") return "text";
  if (typeof schema.type === "object") return schema.type.map((type) => valueText({ ...schema, type })).join(" or ");
  return schema.properties ? "" : (schema.type ?? "");
}

function numberRange({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  const isWhole = type === "integer";
  const word = isWhole ? "whole number" : "number";
  const least = isWhole && exclusiveMinimum !== undefined ? exclusiveMinimum + 1 : minimum;
  const bounds = [
    ...(least === undefined || Math.abs(least) >= Number.MAX_SAFE_INTEGER ? [] : [`≥ ${least}`]),
    ...(!isWhole && exclusiveMinimum !== undefined ? [`> ${exclusiveMinimum}`] : []),
    ...(maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? [] : [`≤ ${maximum}`]),
    ...(exclusiveMaximum === undefined ? [] : [`< ${exclusiveMaximum}`]),
  ];
  return bounds.length === 0 ? word : `${word} ${bounds.join(", ")}`;
}

/** Fields that are written: with what they may be and what they are when left out. */
export function inputTable(fields: readonly Field[]): string[] {
  return markdownTable(
    ["field", "value", "default", "meaning"],
    fields.map(({ name, value, isRequired, defaultValue, description }) => [
      `\`${name}\``,
      value,
      isRequired ? "required" : defaultValue === undefined ? "–" : `\`${defaultValue.replace(/^"(.*)"$/, "$1")}\``,
      description,
    ]),
  );
}

/** Fields of a result. */
export function outputTable(fields: readonly Field[]): string[] {
  return markdownTable(
    ["field", "value", "meaning"],
    fields.map(({ name, value, isRequired, description }) => [
      `\`${name}\``,
      isRequired ? value : `${value} (may be absent)`,
      description,
    ]),
  );
}
