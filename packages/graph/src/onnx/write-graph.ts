import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { annotationsKey, annotationsText } from "../annotations/metadata.js";
import { elementTypes } from "../ir/element-type.js";
import type { Attribute, Graph, Node, TensorType } from "../ir/graph.js";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./generated/onnx_pb.js";
import { attributeTypes } from "./read-attribute.js";
import { type ExternalBlob, entries, writeTensor } from "./write-tensor.js";

/** A graph as a message. The main graph's annotations stand in the model's metadata, a subgraph's in its own. */
export function writeGraph(graph: Graph, blob: ExternalBlob | undefined, options: { isSubgraph: boolean }): GraphProto {
  const elsewhere = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  for (const name of graph.initializers.keys()) elsewhere.add(name);
  const annotations = options.isSubgraph ? annotationsText(graph.annotations) : undefined;
  return create(GraphProtoSchema, {
    name: graph.name,
    node: graph.nodes.map((node) => writeNode(node, blob)),
    initializer: [...graph.initializers].map(([name, constant]) => writeTensor(name, constant, blob)),
    input: graph.inputs.map(({ name, type }) => writeValue(name, type)),
    output: graph.outputs.map(({ name, type }) => writeValue(name, type)),
    valueInfo: [...graph.types].filter(([name]) => !elsewhere.has(name)).map(([name, type]) => writeValue(name, type)),
    metadataProps: annotations === undefined ? [] : entries({ [annotationsKey]: annotations }),
  });
}

export function writeNode(node: Node, blob?: ExternalBlob): NodeProto {
  return create(NodeProtoSchema, {
    name: node.name,
    opType: node.operator,
    ...(node.domain === "" ? {} : { domain: node.domain }),
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: writeAttributes(node.attributes, blob),
  });
}

export function writeAttributes(
  attributes: Readonly<Record<string, Attribute>>,
  blob?: ExternalBlob,
): AttributeProto[] {
  return Object.entries(attributes).map(([name, attribute]) =>
    create(AttributeProtoSchema, {
      name,
      type: attributeTypes[attribute.kind === "reference" ? attribute.of : attribute.kind],
      ...attributeContent(attribute, blob),
    }),
  );
}

function attributeContent(attribute: Attribute, blob?: ExternalBlob): MessageInitShape<typeof AttributeProtoSchema> {
  switch (attribute.kind) {
    case "int":
      return { i: toInt64(attribute.value) };
    case "float":
      return { f: attribute.value };
    case "string":
      return { s: textEncoder.encode(attribute.value) };
    case "tensor":
      return { t: writeTensor("", attribute.value, blob) };
    case "graph":
      return { g: writeGraph(attribute.value, blob, { isSubgraph: true }) };
    case "ints":
      return { ints: attribute.value.map(toInt64) };
    case "floats":
      return { floats: [...attribute.value] };
    case "strings":
      return { strings: attribute.value.map((text) => textEncoder.encode(text)) };
    case "tensors":
      return { tensors: attribute.value.map((constant) => writeTensor("", constant, blob)) };
    case "graphs":
      return { graphs: attribute.value.map((graph) => writeGraph(graph, blob, { isSubgraph: true })) };
    case "reference":
      return { refAttrName: attribute.value };
  }
}

const textEncoder = new TextEncoder();

/** As a 64-bit integer; 2⁶³, which stands for "to the end", becomes the largest one. */
const toInt64 = (value: number): bigint => (value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value));

function writeValue(name: string, { elementType, shape }: TensorType): ValueInfoProto {
  const dim = shape?.map((size) => ({
    value:
      typeof size === "number"
        ? { case: "dimValue" as const, value: BigInt(size) }
        : { case: "dimParam" as const, value: size },
  }));
  const value = { elemType: elementTypes[elementType].onnxCode, ...(dim ? { shape: { dim } } : {}) };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value } } });
}
