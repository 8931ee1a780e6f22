import { inputError } from "@dovetail/core";
import {
  formatSpatial,
  type MappedZigZagNetwork,
  mapZigZagNetwork,
  printZigZagCost,
  readZigZagHardware,
  readZigZagMapping,
  readZigZagWorkload,
  type ZigZagAccelerator,
  type ZigZagLayer,
  type ZigZagMappingEntry,
  zigzagLayersOf,
} from "@dovetail/hardware";
import { readNetworkShapes } from "../files/read-network.js";
import { inFile, readText } from "../files/read-text.js";
import { type CommandIo, printResult } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import type { CostFromOptions } from "./cost-from-options.js";

interface ZigZagInputs {
  accelerator?: ZigZagAccelerator;
  entries?: readonly ZigZagMappingEntry[];
  layers?: readonly ZigZagLayer[];
}

/** ZigZag's three files, in any order: hardware, mapping, and workload as YAML or ONNX. */
export async function costFromZigZag(io: CommandIo, options: CostFromOptions, files: readonly string[]): Promise<void> {
  const inputs: ZigZagInputs = {};
  for (const file of files) Object.assign(inputs, await readFile(file, options));
  const { accelerator, entries, layers } = inputs;
  if (accelerator === undefined || entries === undefined || layers === undefined) {
    const missing = [
      ...(accelerator === undefined ? ["hardware (a document with memories)"] : []),
      ...(entries === undefined ? ["mapping (a list of entries with spatial_mapping)"] : []),
      ...(layers === undefined ? ["workload (a list of layers with equation, or an ONNX file)"] : []),
    ];
    throw inputError("zigzag_files", "a file is missing", { expected: missing.join(", "), received: files.join(", ") });
  }
  const network = mapZigZagNetwork(layers, accelerator, entries);
  printResult(io, options, network, () => [
    ...(options.verbose ? network.layers.flatMap(({ cost }) => [printZigZagCost(cost), ""]) : []),
    ...describe(network),
  ]);
}

/** Which of the three a file is, its first words tell. */
async function readFile(file: string, { weightBits, activationBits }: CostFromOptions): Promise<ZigZagInputs> {
  if (/\.onnx$/i.test(file)) {
    const { graph } = await readNetworkShapes(file);
    const bitWidths = { weights: weightBits, inputs: activationBits, outputs: activationBits };
    return { layers: inFile(file, () => zigzagLayersOf(graph, { bitWidths })) };
  }
  const text = await readText(file);
  if (/^["']?memories["']?\s*:/m.test(text)) return { accelerator: readZigZagHardware(text, { file }) };
  if (/^[-\s]*["']?equation["']?\s*:/m.test(text)) return { layers: readZigZagWorkload(text, { file }) };
  return { entries: readZigZagMapping(text, { file }) };
}

function describe({ layers, energyPj, latencyCycles, evaluations }: MappedZigZagNetwork): string[] {
  return [
    ...formatTable(
      ["layer", "MACs", "cycles", "nJ", "utilization", "on the array"],
      layers.map(({ cost }) => [
        cost.layer,
        `${cost.macs}`,
        `${Math.round(cost.latencyCycles)}`,
        (cost.energyPj / 1000).toFixed(1),
        `${(100 * cost.utilization).toFixed(1)} %`,
        formatSpatial(cost.spatial),
      ]),
    ),
    `total: ${(energyPj / 1e6).toPrecision(6)} µJ, ${Math.round(latencyCycles)} cycles; ${evaluations} mappings tried`,
  ];
}
