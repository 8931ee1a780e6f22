import { inputError } from "@dovetail/core";
import { foldBatchNormalization, type Tensor } from "@dovetail/graph";
import { exportModel } from "./export.js";
import { networkOfModel } from "./import.js";
import type { Network } from "./network.js";

/**
 * The network with each batch normalization, in inference form, put into the convolution or product before it, whose
 * weight and bias become new parameters. Those that follow something else stay. Other parameters keep their names and
 * specifications. Throws when the network is quantized already: normalizations are folded before.
 */
export function foldBatchNorms(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
): { readonly network: Network; readonly weights: Map<string, Tensor> } {
  if (network.scalars.length > 0 || network.observedRanges.length > 0) {
    throw inputError("fold_order", `network "${network.name}" is quantized`, {
      expected: "batch normalizations folded first, quantizers added then",
    });
  }
  const model = exportModel(network, weights);
  const graph = foldBatchNormalization(model.graph);
  const folded = networkOfModel({ ...model, graph }, { imageRange: network.imageRange });
  const known = new Map(network.parameters.map((parameter) => [parameter.name, parameter]));
  const parameters = folded.network.parameters.map((parameter) => known.get(parameter.name) ?? parameter);
  return { network: { ...folded.network, name: network.name, parameters }, weights: folded.weights };
}
