import type { Attribute, Graph } from "../ir/graph.js";
import { type AttributeProto, AttributeProto_Type as Type } from "./generated/onnx_pb.js";
import { readTensor } from "./read-tensor.js";
import { decodeText, malformed, type Path, type Reading, requiredName, unsupported } from "./reading.js";

type Kind = Exclude<Attribute["kind"], "reference">;

/** ONNX's attribute types and ours. */
export const attributeTypes: Readonly<Record<Kind, Type>> = {
  int: Type.INT,
  float: Type.FLOAT,
  string: Type.STRING,
  tensor: Type.TENSOR,
  graph: Type.GRAPH,
  ints: Type.INTS,
  floats: Type.FLOATS,
  strings: Type.STRINGS,
  tensors: Type.TENSORS,
  graphs: Type.GRAPHS,
};

/** How a graph inside an attribute is read. */
export type ReadSubgraph = (proto: NonNullable<AttributeProto["g"]>, path: Path) => Graph;

/** The attributes of a node or function, by name. */
export function readAttributes(
  protos: readonly AttributeProto[],
  reading: Reading,
  readSubgraph: ReadSubgraph,
  path: Path,
): Record<string, Attribute> {
  const attributes: Record<string, Attribute> = {};
  protos.forEach((proto, index) => {
    const name = requiredName(proto.name, [...path, index, "name"]);
    const place = [...path, index];
    if (Object.hasOwn(attributes, name)) throw malformed(place, `attribute "${name}" is given twice`);
    // A plain assignment would lose an attribute named "__proto__".
    Object.defineProperty(attributes, name, {
      value: readAttribute(proto, reading, readSubgraph, place),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  });
  return attributes;
}

function readAttribute(proto: AttributeProto, reading: Reading, readSubgraph: ReadSubgraph, path: Path): Attribute {
  const kind = kindOf(proto, path);
  if (proto.refAttrName) return { kind: "reference", value: proto.refAttrName, of: kind };
  switch (kind) {
    case "int":
      return { kind, value: safeInteger(proto.i ?? 0n, [...path, "i"]) };
    case "float":
      return { kind, value: shortestFloat(proto.f ?? 0) };
    case "string":
      return { kind, value: decodeText(proto.s ?? new Uint8Array(), [...path, "s"]) };
    case "ints":
      return { kind, value: proto.ints.map((value, index) => safeInteger(value, [...path, "ints", index])) };
    case "floats":
      return { kind, value: proto.floats.map(shortestFloat) };
    case "strings":
      return { kind, value: proto.strings.map((value, index) => decodeText(value, [...path, "strings", index])) };
    case "tensor":
      if (!proto.t) throw malformed(path, "the attribute's tensor is missing");
      return { kind, value: readTensor(proto.t, reading, [...path, "t"]) };
    case "graph":
      if (!proto.g) throw malformed(path, "the attribute's graph is missing");
      return { kind, value: readSubgraph(proto.g, [...path, "g"]) };
    case "tensors":
      return {
        kind,
        value: proto.tensors.map((value, index) => readTensor(value, reading, [...path, "tensors", index])),
      };
    case "graphs":
      return { kind, value: proto.graphs.map((value, index) => readSubgraph(value, [...path, "graphs", index])) };
  }
}

function kindOf(proto: AttributeProto, path: Path): Kind {
  for (const kind of Object.keys(attributeTypes) as Kind[]) if (attributeTypes[kind] === proto.type) return kind;
  if (!proto.type) throw malformed([...path, "type"], `the type of attribute "${proto.name}" is missing`);
  throw unsupported([...path, "type"], `attribute "${proto.name}": this attribute type is not read`, {
    expected: Object.keys(attributeTypes).join(", "),
    received: Type[proto.type]?.toLowerCase() ?? `code ${proto.type}`,
  });
}

const lowestInt64 = -(2n ** 63n);
const highestInt64 = 2n ** 63n - 1n;

/** A 64-bit integer as a number. The two extremes, which mean "to the end", become ±2⁶³ and are written back exactly. */
function safeInteger(value: bigint, path: Path): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) && value !== lowestInt64 && value !== highestInt64) {
    throw unsupported(path, "an integer beyond ±2^53", { received: `${value}` });
  }
  return number;
}

/** The shortest decimal that is this float32, so that an epsilon of 1e-5 reads as 1e-5, not as 0.000009999999747. */
function shortestFloat(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
