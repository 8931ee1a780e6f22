import { create, toBinary } from "@bufbuild/protobuf";
import { annotationsKey, annotationsText } from "../annotations/metadata.js";
import type { FunctionDefinition, Graph, Model } from "../ir/graph.js";
import { type FunctionProto, FunctionProtoSchema, ModelProtoSchema } from "./generated/onnx_pb.js";
import { irVersionOf, requiredOpsets, writtenOpsets } from "./opset-version.js";
import { writeAttributes, writeGraph, writeNode } from "./write-graph.js";
import { ExternalBlob, entries } from "./write-tensor.js";

/** A graph as a model of Dovetail's, with the operator sets that its nodes need. */
export function modelOf(
  graph: Graph,
  options: { readonly opset?: number | undefined; readonly metadata?: ReadonlyMap<string, string> | undefined } = {},
): Model {
  const opsets = requiredOpsets(graph, []);
  if (options.opset !== undefined) opsets.set("", Math.max(options.opset, opsets.get("")!));
  return { graph, opsets, metadata: new Map(options.metadata), producer: "dovetail", functions: [] };
}

/**
 * A model as an ONNX file: operator set 18, or 21 where a 4- or 16-bit QuantizeLinear or DequantizeLinear is there (or the
 * model's own, where it was read from a newer file). Annotations travel in the metadata; custom gradients do not travel.
 *
 * Throws an input error for constants whose values are missing.
 */
export function writeModel(model: Model): Uint8Array<ArrayBuffer> {
  return write(model, undefined);
}

/**
 * The same with the values of large constants in a second file, for models beyond protobuf's 2 GiB.
 *
 * @param options.location the second file's name, relative to the model's folder.
 * @param options.minimumBytes constants of fewer bytes stay in the model; 1024 by default.
 */
export function writeModelWithExternalData(
  model: Model,
  options: { readonly location: string; readonly minimumBytes?: number | undefined },
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly externalData: Uint8Array } {
  const blob = new ExternalBlob(options.location, options.minimumBytes ?? 1024);
  const bytes = write(model, blob);
  return { bytes, externalData: blob.bytes() };
}

function write(model: Model, blob: ExternalBlob | undefined): Uint8Array<ArrayBuffer> {
  const opsets = writtenOpsets(model);
  const metadata = Object.fromEntries(model.metadata);
  const annotations = annotationsText(model.graph.annotations);
  if (annotations !== undefined) metadata[annotationsKey] = annotations;
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(irVersionOf(opsets.get("")!)),
    ...(model.producer === undefined ? {} : { producerName: model.producer }),
    opsetImport: opsetEntries(opsets),
    graph: writeGraph(model.graph, blob, { isSubgraph: false }),
    metadataProps: entries(metadata),
    functions: model.functions.map(writeFunction),
  });
  return toBinary(ModelProtoSchema, proto, { writeUnknownFields: false });
}

const opsetEntries = (opsets: ReadonlyMap<string, number>): { domain: string; version: bigint }[] =>
  [...opsets].map(([domain, version]) => ({ domain, version: BigInt(version) }));

function writeFunction(definition: FunctionDefinition): FunctionProto {
  return create(FunctionProtoSchema, {
    name: definition.name,
    domain: definition.domain,
    input: [...definition.inputs],
    output: [...definition.outputs],
    attribute: [...definition.attributes],
    attributeProto: writeAttributes(definition.attributeDefaults ?? {}),
    node: definition.nodes.map((node) => writeNode(node)),
    opsetImport: opsetEntries(definition.opsets),
  });
}
