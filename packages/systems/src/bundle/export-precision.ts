// One file for one precision of a switchable network.
import { type Tensor, tensorFromData, writeModel } from "@dovetail/graph";
import { exportModel, type Network } from "@dovetail/models";
import { exportQdqModel, prepareQuantization, type SwitchableNetwork } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import type { ImageDataset } from "@dovetail/train";
import type { PrecisionDelivery } from "./make-bundle.js";

export interface ExportPrecisionOptions {
  readonly runtime: Runtime;
  /** The network before it was made switchable. */
  readonly base: Network;
  readonly switchable: SwitchableNetwork;
  /** Of the switchable network. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly bits: number;
  /** Its training images give the ranges of the integer files. */
  readonly dataset: ImageDataset;
}

/** Whether a precision's file is integer: from 8 to 16 bit. */
export function isInteger(bits: number): boolean {
  return bits >= 8 && bits <= 16;
}

/**
 * The file for a precision. From 8 to 16 bit it is integer (QDQ, symmetric): batch norms are folded, ranges measured, and
 * stem and classifier are at these bits too. Below, that would cost accuracy, and 32 bit are float: there the file
 * computes exactly what the switchable network does, in float32.
 */
export async function exportPrecision(
  options: ExportPrecisionOptions,
): Promise<Pick<PrecisionDelivery, "onnx" | "form">> {
  const { runtime, base, switchable, weights, bits, dataset } = options;
  const { classNames } = dataset;
  if (isInteger(bits)) {
    const own = weightsAtPrecision(base, switchable, weights, bits);
    const precision = { weightBits: bits, activationBits: bits };
    const prepared = await prepareQuantization({ runtime, network: base, weights: own, dataset, ...precision });
    const model = exportQdqModel(prepared.folded, prepared.weights, { ...precision, classNames });
    return { onnx: writeModel(model), form: "qdq" };
  }
  const model = exportModel(switchable.network, weights, { scalars: switchable.setting(bits), classNames });
  return { onnx: writeModel(model), form: "float" };
}

/** Weights of the network before it was made switchable, with the batch-norm parameters of a precision. */
export function weightsAtPrecision(
  base: Network,
  { network, bitWidths }: SwitchableNetwork,
  weights: ReadonlyMap<string, Tensor>,
  bits: number,
): Map<string, Tensor> {
  const rowOf = new Map(network.parameters.map(({ name, row }) => [name, row]));
  const index = bitWidths.indexOf(bits);
  return new Map(
    base.parameters.map(({ name, shape }) => {
      const tensor = weights.get(name)!;
      if (rowOf.get(name) === undefined) return [name, tensor];
      const size = shape.reduce((product, length) => product * length, 1);
      const row = (tensor.data as Float32Array).slice(index * size, (index + 1) * size);
      return [name, tensorFromData("float32", shape, row)];
    }),
  );
}
