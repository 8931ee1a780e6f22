import { inputError } from "@dovetail/core";
import type { Attribute, Node, Tensor } from "./graph.js";

type Kind = Attribute["kind"];
type Values = { [A in Attribute as A["kind"]]: A["value"] };

/** What `node(…)` of the builder takes: numbers become ints when whole, else say `float(…)`. */
export type AttributeInput = Attribute | number | string | readonly number[] | Tensor | undefined;

export const float = (value: number): Attribute => ({ kind: "float", value });
export const floats = (value: readonly number[]): Attribute => ({ kind: "floats", value });

/** Turns the short forms into attributes; undefined entries are left out. */
export function toAttributes(inputs: Readonly<Record<string, AttributeInput>>): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input !== undefined) attributes[name] = toAttribute(input);
  }
  return attributes;
}

function toAttribute(input: Exclude<AttributeInput, undefined>): Attribute {
  if (typeof input === "number") {
    return Number.isInteger(input) ? { kind: "int", value: input } : { kind: "float", value: input };
  }
  if (typeof input === "string") return { kind: "string", value: input };
  if ("kind" in input) return input;
  if ("elementType" in input) return { kind: "tensor", value: input };
  return { kind: "ints", value: input };
}

/** An attribute's value, or the default when it is absent. Throws when it is there with another kind. */
export function attributeOf<K extends Kind>(node: Node, name: string, kind: K): Values[K] | undefined;
export function attributeOf<K extends Kind>(node: Node, name: string, kind: K, byDefault: Values[K]): Values[K];
export function attributeOf<K extends Kind>(
  node: Node,
  name: string,
  kind: K,
  byDefault?: Values[K],
): Values[K] | undefined {
  const attribute = node.attributes[name];
  if (attribute === undefined) return byDefault;
  if (attribute.kind !== kind) {
    throw inputError("attribute_kind", `node "${node.name}" (${node.operator}): attribute "${name}"`, {
      expected: kind,
      received: attribute.kind,
    });
  }
  return attribute.value as Values[K];
}
