import { inputError } from "@dovetail/core";
import { bindParameters, defaultOpset, type Model, modelOf, readModel, type Tensor, writeModel } from "@dovetail/graph";
import { fileGraph, type Network, withFunctions } from "@dovetail/models";
import { type PackedTensor, unpackTensor } from "../packed/packed-tensor.js";
import type { PackedNetwork } from "../packed/write-packed.js";
import { annotateCompressed } from "./structure-network.js";

/** A network whose parameters are these tensors, as a packed file. `modelMetadata` is that of the model it stands for. */
export function packNetwork(
  network: Network,
  tensors: ReadonlyMap<string, PackedTensor>,
  options: {
    readonly modelMetadata?: ReadonlyMap<string, string> | undefined;
    readonly metadata?: Readonly<Record<string, string>> | undefined;
  } = {},
): PackedNetwork {
  const { modelMetadata = new Map(), metadata = {} } = options;
  const graph = annotateCompressed(fileGraph(network), tensors);
  return { tensors, graph: writeModel(modelOf(graph, { metadata: modelMetadata })), metadata };
}

/**
 * The model that a packed network stands for: its weights rebuilt, with the annotations that the cost models read.
 *
 * @throws DovetailError `packed_graph` where it holds tensors alone or lacks some of its graph's, and what `readModel` and `bindParameters` throw.
 */
export function modelOfPacked({ graph, tensors }: PackedNetwork): Model {
  if (graph.length === 0) {
    throw inputError("packed_graph", "the packed file holds tensors, but no graph", { expected: "a packed network" });
  }
  const model = readModel(graph);
  const weights = new Map<string, Tensor>();
  for (const [name, packed] of tensors) weights.set(name, unpackTensor(packed));
  const open = model.graph.inputs.filter(({ name }) => !weights.has(name) && !model.graph.initializers.has(name));
  if (open.length > 1) {
    throw inputError("packed_graph", "the packed file lacks tensors of its graph", {
      expected: "one input that is no weight, the image",
      received: `${open.length}: ${open
        .slice(0, 3)
        .map(({ name }) => name)
        .join(", ")}${open.length > 3 ? ", …" : ""}`,
    });
  }
  const opset = model.opsets.get("") ?? defaultOpset;
  return withFunctions({ ...model, graph: bindParameters(model.graph, weights, { opset }) });
}
