import { inputError } from "@dovetail/core";
import type { Architecture } from "../architecture/architecture.js";
import type { SystolicDataflow } from "../systolic/dataflow.js";
import { systolicLayerOf } from "../systolic/layer.js";
import type { Problem } from "../workload/problem.js";
import type { ScaleSimConfig } from "./scalesim-config.js";
import type { ScaleSimProduct, ScaleSimTopology } from "./scalesim-topology.js";

/** Lines that SCALE-Sim's reader takes; more groups than this are no layer of a network. */
const LINES_LIMIT = 20_000;

/**
 * Layers as SCALE-Sim's matrix form (M, N, K), in which it has no strides or groups to tell: each group is a line.
 *
 * @throws DovetailError `systolic_layer` for what is neither a convolution nor a matrix product, `scalesim_export` for too
 * many groups.
 */
export function exportScaleSimTopology(
  layers: readonly { readonly name: string; readonly problem: Problem }[],
): ScaleSimTopology {
  const products = layers.flatMap(({ name, problem }): ScaleSimProduct[] => {
    const { rows, inner, columns, products: count = 1 } = systolicLayerOf(name, problem);
    if (count > LINES_LIMIT) {
      throw inputError("scalesim_export", "too many groups", {
        path: [name],
        expected: `at most ${LINES_LIMIT}`,
        received: String(count),
      });
    }
    const line = { m: rows, n: columns, k: inner, sparsity: { kept: 1, block: 1 } };
    return Array.from({ length: count }, (_, index) => ({ name: count === 1 ? name : `${name}_${index}`, ...line }));
  });
  return { form: "gemm", layers: products };
}

/**
 * The array of an architecture as SCALE-Sim's configuration: rows and columns of all fan-outs together, and a third of
 * the on-chip memory outside the array for each tensor. SCALE-Sim has one array and one level of memory.
 *
 * @throws DovetailError `scalesim_export` for an architecture without an array.
 */
export function exportScaleSimConfig({ name, levels }: Architecture, dataflow: SystolicDataflow): ScaleSimConfig {
  const rows = levels.reduce((product, { fanout }) => product * (fanout?.y ?? 1), 1);
  const columns = levels.reduce((product, { fanout }) => product * (fanout?.x ?? 1), 1);
  const array = levels.findIndex(({ fanout }) => (fanout?.x ?? 1) * (fanout?.y ?? 1) > 1);
  if (array < 0) {
    throw inputError("scalesim_export", "no level has a fan-out", { path: ["levels"], expected: "an array of units" });
  }
  const bits = levels
    .slice(0, array + 1)
    .reduce((sum, { storage }) => sum + (storage?.entries === undefined ? 0 : storage.entries * storage.widthBits), 0);
  const kilobytes = Math.max(1, Math.floor(bits / 8 / 1024 / 3));
  return {
    runName: name,
    array: { rows, columns, dataflow },
    inputSramKilobytes: kilobytes,
    weightSramKilobytes: kilobytes,
    outputSramKilobytes: kilobytes,
    inputOffset: 0,
    weightOffset: 10_000_000,
    outputOffset: 20_000_000,
    bandwidths: [10],
    memoryBanks: 1,
    readRequestBuffer: 32,
    writeRequestBuffer: 32,
    interfaceBandwidth: "CALC",
    isSparse: false,
  };
}
