import { inputError } from "@dovetail/core";
import type { Node, Shape, Tensor, TensorType } from "../ir/graph.js";
import { knownEntries } from "./constants.js";
import { type KnownEntries, tensorOfEntries } from "./entries.js";
import type { ShapeContext } from "./rule.js";
import { shapeTable } from "./table.js";

/** What is known of the values around a node. Shapes computed in the graph are evaluated once for each such object. */
export interface KnownValues {
  typeOf(name: string): TensorType | undefined;
  constantOf(name: string): Tensor | undefined;
  producerOf(name: string): Node | undefined;
  /** Version of ONNX's own operator set. */
  readonly opset: number;
}

/** Types of a node's outputs. Throws an input error that names the node, the operator and the shapes. */
export function inferNodeTypes(node: Node, known: KnownValues): readonly TensorType[] {
  const key = node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
  // A file may well call its operator "constructor".
  const rule = Object.hasOwn(shapeTable, key) ? shapeTable[key] : undefined;
  if (!rule) {
    throw inputError("unknown_operator", `${describe(node)}: this operator is not known`, { received: key });
  }
  return rule(shapeContext(node, known));
}

function shapeContext(node: Node, known: KnownValues): ShapeContext {
  const inputs = node.inputs.map((name) => (name === "" ? undefined : known.typeOf(name)));
  const fail: ShapeContext["fail"] = (message, details = {}) =>
    inputError("shape_mismatch", `${describe(node)}: ${message}; inputs ${inputs.map(printType).join(", ")}`, details);
  const input = (index: number): TensorType => {
    const type = inputs[index];
    if (!type) throw fail(`input ${index} is missing or of unknown type`);
    return type;
  };
  let unknown = 0;
  const entries = (index: number): KnownEntries | undefined => {
    const name = node.inputs[index];
    return name ? knownEntries(name, known) : undefined;
  };
  return {
    node,
    inputs,
    opset: known.opset,
    constant: (index) => {
      const name = node.inputs[index];
      if (!name) return undefined;
      const computed = known.constantOf(name) ? undefined : entries(index);
      return computed ? tensorOfEntries(computed) : known.constantOf(name);
    },
    entries: (index) => entries(index)?.entries,
    numbers: (index) => {
      const values = entries(index)?.entries;
      return values?.every((value) => typeof value === "number") ? (values as readonly number[]) : undefined;
    },
    has: (index) => Boolean(node.inputs[index]),
    input,
    shape: (index) => {
      const shape = input(index).shape;
      if (!shape) throw fail(`the rank of input ${index} is not known`);
      return shape;
    },
    subgraph: (attribute) => attribute.value.outputs.map(({ type }) => type),
    unknownDimension: () => `${node.name}?${unknown++}`,
    fail,
  };
}

function describe(node: Node): string {
  return `node "${node.name}" (${node.domain ? `${node.domain}.` : ""}${node.operator})`;
}

/** `float32[batch,3,32,32]`. */
export function printType(type: TensorType | undefined): string {
  if (!type) return "absent";
  return `${type.elementType}${printShape(type.shape)}`;
}

export function printShape(shape: Shape | undefined): string {
  return shape ? `[${shape.join(",")}]` : "[…]";
}
