import { readAnnotations } from "../annotations/metadata.js";
import type { Dimension, Graph, Node, Tensor, TensorType, Value } from "../ir/graph.js";
import { topologicalOrder } from "../passes/topological-sort.js";
import type { GraphProto, NodeProto, TypeProto, ValueInfoProto } from "./generated/onnx_pb.js";
import { readAttributes } from "./read-attribute.js";
import { readElementType, readTensor } from "./read-tensor.js";
import { malformed, type Path, type Reading, requiredName, unsupported } from "./reading.js";

/**
 * A graph as the file has it: operators of the file's own operator set, and of the types only those that it declares.
 * Nodes are put into topological order, every node gets a name of its own, an input that has an initializer is a
 * constant (files before IR version 4 list all of them).
 *
 * @param outerNames values of the surrounding graphs, which a subgraph's nodes may use; undefined for the main graph.
 */
export function readGraph(
  proto: GraphProto,
  outerNames: ReadonlySet<string> | undefined,
  reading: Reading,
  path: Path,
): Graph {
  if (proto.sparseInitializer.length > 0) {
    throw unsupported([...path, "sparse_initializer"], "sparse tensors are not read", {
      hint: "store them dense: Dovetail's sparsity travels in annotations",
    });
  }
  const isMain = outerNames === undefined;
  const initializers = readInitializers(proto, reading, path);
  const inputs = proto.input
    .map((info, index) => readValue(info, true, [...path, "input", index]))
    .filter(({ name }) => !initializers.has(name));
  const types = new Map<string, TensorType>();
  const names = new Set(outerNames);
  const define = (name: string, place: Path): void => {
    if (names.has(name)) throw malformed(place, `the value "${name}" is defined twice`);
    names.add(name);
  };
  for (const [name, { elementType, dimensions }] of initializers) {
    define(name, [...path, "initializer"]);
    types.set(name, { elementType, shape: dimensions });
  }
  for (const { name, type } of inputs) {
    define(name, [...path, "input"]);
    types.set(name, type);
  }
  proto.node.forEach((node, index) => {
    for (const name of node.output) if (name !== "") define(name, [...path, "node", index, "output"]);
  });
  const nodes = readNodes(proto.node, names, reading, [...path, "node"]);
  proto.valueInfo.forEach((info, index) => {
    const name = requiredName(info.name, [...path, "value_info", index, "name"]);
    const type = readType(info.type, name, [...path, "value_info", index, "type"]);
    if (type && names.has(name) && !types.has(name)) types.set(name, type);
  });
  const outputs = proto.output.map((info, index) => readValue(info, isMain, [...path, "output", index]));
  outputs.forEach(({ name, type }, index) => {
    if (!names.has(name)) throw malformed([...path, "output", index], `no node gives the output "${name}"`);
    if (!types.has(name) && type !== undeclared) types.set(name, type);
  });
  return {
    name: proto.name || "graph",
    inputs,
    outputs,
    nodes: topologicalOrder(nodes, path),
    initializers,
    types,
    annotations: isMain ? new Map() : readAnnotations(metadataOf(proto.metadataProps), [...path, "metadata_props"]),
    customGradients: [],
  };
}

/** Key and value pairs as a map. */
export function metadataOf(entries: GraphProto["metadataProps"]): Map<string, string> {
  return new Map(entries.map(({ key, value }) => [key ?? "", value ?? ""]));
}

/** Stands for the type that a subgraph's output has by its node, until types are inferred. */
export const undeclared: TensorType = { elementType: "float32" };

function readInitializers(proto: GraphProto, reading: Reading, path: Path): Map<string, Tensor> {
  const initializers = new Map<string, Tensor>();
  proto.initializer.forEach((tensor, index) => {
    const place = [...path, "initializer", index];
    const name = requiredName(tensor.name, [...place, "name"]);
    if (initializers.has(name)) throw malformed(place, `the value "${name}" is defined twice`);
    initializers.set(name, readTensor(tensor, reading, place));
  });
  return initializers;
}

/** Nodes of a graph or function whose visible values are `names`. */
export function readNodes(
  protos: readonly NodeProto[],
  names: ReadonlySet<string>,
  reading: Reading,
  path: Path,
): Node[] {
  const nodeNames = new Set<string>();
  return protos.map((proto, index) => {
    const place = [...path, index];
    const operator = requiredName(proto.opType, [...place, "op_type"]);
    const name = uniqueName(proto.name || `${operator}_${index}`, nodeNames);
    if (proto.overload) throw unsupported([...place, "overload"], `node "${name}": function overloads are not read`);
    for (const input of proto.input) {
      if (input !== "" && !names.has(input)) {
        throw malformed([...place, "input"], `node "${name}" (${operator}): there is no value "${input}"`);
      }
    }
    const readSubgraph = (subgraph: GraphProto, subgraphPath: Path): Graph =>
      readGraph(subgraph, names, reading, subgraphPath);
    return {
      name,
      domain: normalDomain(proto.domain),
      operator,
      inputs: withoutTrailingBlanks(proto.input),
      outputs: [...proto.output],
      attributes: readAttributes(proto.attribute, reading, readSubgraph, [...place, "attribute"]),
    };
  });
}

/** ONNX's own domain has two spellings. */
export function normalDomain(domain: string | undefined): string {
  return domain === undefined || domain === "ai.onnx" ? "" : domain;
}

function withoutTrailingBlanks(names: readonly string[]): string[] {
  const kept = [...names];
  while (kept.at(-1) === "") kept.pop();
  return kept;
}

function uniqueName(name: string, taken: Set<string>): string {
  let unique = name;
  for (let count = 1; taken.has(unique); count++) unique = `${name}_${count}`;
  taken.add(unique);
  return unique;
}

function readValue(info: ValueInfoProto, typeRequired: boolean, path: Path): Value {
  const name = requiredName(info.name, [...path, "name"]);
  const type = readType(info.type, name, [...path, "type"]);
  if (type) return { name, type };
  const kind = info.type?.value.case;
  if (kind !== undefined && kind !== "tensorType") {
    throw unsupported([...path, "type"], `"${name}": only tensors are read`, { received: kind.replace("Type", "") });
  }
  if (typeRequired) throw malformed([...path, "type"], `the type of "${name}" is missing`);
  return { name, type: undeclared };
}

/** The declared type; undefined where there is none, or the value is not a tensor. */
function readType(proto: TypeProto | undefined, name: string, path: Path): TensorType | undefined {
  if (proto?.value.case !== "tensorType") return undefined;
  const { elemType, shape } = proto.value.value;
  if (!elemType) return undefined;
  const elementType = readElementType(elemType, [...path, "tensor_type", "elem_type"]);
  if (!shape) return { elementType };
  return {
    elementType,
    shape: shape.dim.map(({ value }, axis): Dimension => {
      if (value.case === "dimParam" && value.value !== "") return value.value;
      if (value.case !== "dimValue" || value.value < 0n) return `${name}?${axis}`;
      const size = Number(value.value);
      if (Number.isSafeInteger(size)) return size;
      throw malformed([...path, "tensor_type", "shape", "dim", axis], "the size is beyond 2^53", {
        received: `${value.value}`,
      });
    }),
  };
}
