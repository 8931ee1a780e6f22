import { fromBinary } from "@bufbuild/protobuf";
import { inputError } from "@dovetail/core";
import { annotationsKey, readAnnotations } from "../annotations/metadata.js";
import type { FunctionDefinition, Graph, Model } from "../ir/graph.js";
import { topologicalOrder } from "../passes/topological-sort.js";
import { checkDeclared } from "../passes/type-scope.js";
import { type FunctionProto, type ModelProto, ModelProtoSchema } from "./generated/onnx_pb.js";
import { defaultReadLimits, type ReadLimits } from "./limits.js";
import { readAttributes } from "./read-attribute.js";
import { metadataOf, normalDomain, readGraph, readNodes } from "./read-graph.js";
import { type ExternalDataSource, malformed, type Path, type Reading, requiredName } from "./reading.js";
import { newestOpset, oldestOpset, opsetAfterUpgrade, upgradeFunction, upgradeGraph } from "./upgrade/upgrade.js";
import { checkWire } from "./wire-check.js";

/** How a model is read. */
export interface ReadOptions {
  /** Where values that lie beside the model come from; paths that leave the model's folder never get here. */
  readonly externalData?: ExternalDataSource | undefined;
  /** What happens when such values aren't there: an error (default), or a tensor without data. */
  readonly missingExternalData?: "error" | "shape-only" | undefined;
  readonly limits?: Partial<ReadLimits> | undefined;
}

/**
 * Reads an ONNX file (operator sets 11 to 21) into the one form that Dovetail works on: operator set 18, or the file's
 * own where it is newer. Types of all values are inferred; unknown operators stay, with the types that the file gives.
 * Tensors share the memory of `bytes` where the alignment allows.
 *
 * Throws an input error that names the byte or the field: damaged files, sizes beyond the limits, unsupported types,
 * shapes that do not fit. Nothing in a file is executed.
 */
export function readModel(bytes: Uint8Array, options: ReadOptions = {}): Model {
  const limits = { ...defaultReadLimits, ...options.limits };
  const proto = decode(bytes, limits);
  const reading: Reading = {
    limits,
    externalData: options.externalData,
    missingExternalData: options.missingExternalData ?? "error",
  };
  const opsets = readOpsets(proto.opsetImport, ["opset_import"]);
  const opset = checkedOpset(opsets, proto, ["opset_import"]);
  if (!proto.graph) throw malformed(["graph"], "the model has no graph");
  const declared = readGraph(proto.graph, undefined, reading, ["graph"]);
  const graph = upgradeGraph(declared, opset);
  checkOutputs(declared, graph);
  const metadata = metadataOf(proto.metadataProps);
  const annotations = readAnnotations(metadata, ["metadata_props"]);
  metadata.delete(annotationsKey);
  if (opsets.has("")) opsets.set("", opsetAfterUpgrade(opset));
  return {
    graph: { ...graph, annotations },
    opsets,
    metadata,
    ...(proto.producerName ? { producer: proto.producerName } : {}),
    functions: proto.functions.map((definition, index) => readFunction(definition, reading, ["functions", index])),
  };
}

function decode(bytes: Uint8Array, limits: ReadLimits): ModelProto {
  if (bytes.byteLength === 0) throw malformed([], "the file is empty", { expected: "an ONNX model" });
  if (bytes.byteLength > limits.fileBytes) {
    throw inputError("limit_exceeded", 'the file is larger than the limit "fileBytes"', {
      expected: `at most ${limits.fileBytes} bytes`,
      received: `${bytes.byteLength}`,
    });
  }
  checkWire(bytes, limits);
  // A graph inside a graph is three messages deeper; tensors and types of the innermost one need a few more.
  return fromBinary(ModelProtoSchema, bytes, { readUnknownFields: false, recursionLimit: 3 * limits.graphDepth + 16 });
}

function readOpsets(imports: ModelProto["opsetImport"], path: Path): Map<string, number> {
  const opsets = new Map<string, number>();
  imports.forEach(({ domain, version }, index) => {
    const name = normalDomain(domain);
    if (opsets.has(name)) throw malformed([...path, index], `the operator set "${name}" is imported twice`);
    const number = Number(version ?? 0n);
    if (!Number.isSafeInteger(number) || number < 1) {
      throw malformed([...path, index, "version"], `the operator set "${name}"`, { received: `version ${number}` });
    }
    opsets.set(name, number);
  });
  return opsets;
}

/** Version of ONNX's own operator set. A model of other domains only needs none. */
function checkedOpset(opsets: ReadonlyMap<string, number>, proto: ModelProto, path: Path): number {
  const opset = opsets.get("");
  if (opset === undefined) {
    if (opsets.size === 0) {
      const hint = proto.graph ? "the file's header is incomplete" : "this is not an ONNX model";
      throw malformed(path, "the version of the operator set is missing", { hint });
    }
    return newestOpset;
  }
  if (opset < oldestOpset || opset > newestOpset) {
    throw inputError("unsupported_opset", "the version of ONNX's operator set", {
      path,
      expected: `${oldestOpset} to ${newestOpset}`,
      received: `${opset}`,
      hint: "export the model again with one of these, or convert it with onnx.version_converter",
    });
  }
  return opset;
}

function checkOutputs(declared: Graph, inferred: Graph): void {
  declared.outputs.forEach(({ name, type }, index) => {
    checkDeclared(name, inferred.outputs[index]!.type, type);
  });
}

function readFunction(proto: FunctionProto, reading: Reading, path: Path): FunctionDefinition {
  const name = requiredName(proto.name, [...path, "name"]);
  if (proto.overload) throw malformed([...path, "overload"], `function "${name}": overloads are not read`);
  const opsets = readOpsets(proto.opsetImport, [...path, "opset_import"]);
  const names = new Set(proto.input);
  for (const node of proto.node) for (const output of node.output) if (output !== "") names.add(output);
  const readSubgraph = (graph: Parameters<typeof readGraph>[0], place: Path): Graph =>
    readGraph(graph, names, reading, place);
  const attributeDefaults = readAttributes(proto.attributeProto, reading, readSubgraph, [...path, "attribute_proto"]);
  const definition: FunctionDefinition = {
    domain: normalDomain(proto.domain),
    name,
    inputs: [...proto.input],
    outputs: [...proto.output],
    attributes: [...proto.attribute],
    ...(proto.attributeProto.length > 0 ? { attributeDefaults } : {}),
    nodes: topologicalOrder(readNodes(proto.node, names, reading, [...path, "node"]), path),
    opsets,
  };
  const opset = opsets.get("");
  if (opset === undefined) return definition;
  if (opset < oldestOpset || opset > newestOpset) {
    throw inputError("unsupported_opset", `function "${name}": the version of ONNX's operator set`, {
      path: [...path, "opset_import"],
      expected: `${oldestOpset} to ${newestOpset}`,
      received: `${opset}`,
    });
  }
  opsets.set("", opsetAfterUpgrade(opset));
  return upgradeFunction(definition, opset);
}
