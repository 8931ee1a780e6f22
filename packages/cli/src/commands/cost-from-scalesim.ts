import { inputError } from "@dovetail/core";
import {
  isDense,
  printSystolicCost,
  readScaleSimConfig,
  readScaleSimTopology,
  type ScaleSimConfig,
  type ScaleSimTopology,
  type SystolicCost,
  systolicCost,
  systolicLayersOf,
} from "@dovetail/hardware";
import { inFile, readText } from "../files/read-text.js";
import { type CommandIo, printResult } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import type { CostFromOptions } from "./cost-from-options.js";

/** SCALE-Sim's configuration and topology, in any order: a topology's name ends in `.csv`. */
export async function costFromScaleSim(
  io: CommandIo,
  options: CostFromOptions,
  files: readonly string[],
): Promise<void> {
  const topologyFile = files.find((file) => /\.csv$/i.test(file));
  const configFile = files.find((file) => !/\.csv$/i.test(file));
  if (topologyFile === undefined || configFile === undefined || files.length !== 2) {
    throw inputError("scalesim_files", "not the two files of SCALE-Sim", {
      expected: "a configuration (.cfg) and a topology (.csv)",
      received: files.length === 0 ? "no file" : files.join(", "),
    });
  }
  const config = readScaleSimConfig(await readText(configFile), { file: configFile });
  const topology = readScaleSimTopology(await readText(topologyFile), { file: topologyFile });
  refuseSparse(config, topology, topologyFile);
  const layers = inFile(topologyFile, () =>
    systolicLayersOf(topology).map((layer) => systolicCost(layer, config.array)),
  );
  const latencyCycles = layers.reduce((sum, layer) => sum + layer.latencyCycles, 0);
  printResult(io, options, { latencyCycles, layers }, () => [
    ...(options.verbose ? layers.flatMap((layer) => [printSystolicCost(layer), ""]) : []),
    ...describe(layers),
    `total: ${latencyCycles} cycles; ${layers[0]!.model}`,
    ...(config.interfaceBandwidth === "USER" ? ["waiting at the bandwidth of the configuration is not counted"] : []),
  ]);
}

/** With sparsity switched off the tool ignores the column, and so do we. */
function refuseSparse(config: ScaleSimConfig, topology: ScaleSimTopology, file: string): void {
  const sparse = config.isSparse ? topology.layers.find(({ sparsity }) => !isDense(sparsity)) : undefined;
  if (sparse === undefined) return;
  throw inputError("scalesim_sparse", "the systolic model has no pruned weights", {
    file,
    line: sparse.line,
    path: ["Sparsity"],
    expected: "1:1, or SparsitySupport: false in the configuration",
    received: `${sparse.sparsity.kept}:${sparse.sparsity.block}`,
  });
}

function describe(layers: readonly SystolicCost[]): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return formatTable(
    ["layer", "MACs", "cycles", "utilization", "mapping", "input reads", "weight reads", "output writes"],
    layers.map(({ name, macs, latencyCycles, utilization, mappingEfficiency, buffers }) => [
      name,
      `${macs}`,
      `${latencyCycles}`,
      percent(utilization),
      percent(mappingEfficiency),
      `${buffers.inputReads}`,
      `${buffers.weightReads}`,
      `${buffers.outputWrites}`,
    ]),
  );
}
