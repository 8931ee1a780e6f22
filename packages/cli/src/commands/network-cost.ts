// What a network costs, layer by layer: shared by `map`, which finds the mappings, and `cost`, which is given them.

import { inputError } from "@dovetail/core";
import {
  type Architecture,
  extractWorkloads,
  type Layer,
  type Mapping,
  type MappingCost,
  printCost,
  printMapping,
  type Workloads,
} from "@dovetail/hardware";
import { type Command, Option } from "commander";
import { networkPath, readNetworkShapes } from "../files/read-network.js";
import { inFile } from "../files/read-text.js";
import { formatTable } from "../terminal/table.js";
import { wholeNumber } from "./define.js";

export interface CostedLayer {
  readonly layer: Layer;
  readonly mapping: Mapping;
  readonly cost: MappingCost;
}

export interface BitOptions {
  readonly weightBits: number;
  readonly activationBits: number;
}

/** Adds the options that say at which precision floating-point values are charged. */
export function withBitOptions(command: Command): Command {
  const bits = (flag: string, what: string): Option =>
    new Option(`${flag} <n>`, `bits of ${what} of which the file says nothing`).argParser(wholeNumber(1)).default(8);
  return command
    .addOption(bits("--weight-bits", "floating-point weights"))
    .addOption(bits("--activation-bits", "floating-point activations"));
}

/** The layers of an ONNX file or of a run's network, for one image. Values that lie in other files may be missing. */
export async function readLayers(path: string, options: BitOptions): Promise<readonly Layer[]> {
  return (await readWorkloads(path, options)).layers;
}

/** As `readLayers`, with what else the network computes. */
export async function readWorkloads(path: string, { weightBits, activationBits }: BitOptions): Promise<Workloads> {
  const file = await networkPath(path);
  const { graph } = await readNetworkShapes(file);
  const bitWidths = { weights: weightBits, inputs: activationBits, outputs: activationBits };
  const workloads = inFile(file, () => extractWorkloads(graph, { bitWidths }));
  if (workloads.layers.length === 0) throw inputError("no_layers", "the network has no layer to map", { file });
  return workloads;
}

export interface NetworkCost {
  readonly energyPj: number;
  readonly latencyCycles: number;
  /** Where the architecture says its clock. */
  readonly latencyMs?: number | undefined;
  readonly edpJouleSeconds?: number | undefined;
  readonly layers: readonly {
    readonly name: string;
    readonly macs: number;
    /** How often the loop nest runs. */
    readonly repetitions: number;
    readonly mapping: Mapping;
    readonly cost: MappingCost;
  }[];
}

/** Layers run one after another. */
export function networkCost(layers: readonly CostedLayer[], { clockMhz }: Pick<Architecture, "clockMhz">): NetworkCost {
  const sum = (value: (cost: MappingCost) => number): number =>
    layers.reduce((total, { layer, cost }) => total + value(cost) * layer.repetitions, 0);
  const energyPj = sum((cost) => cost.energyPj);
  const latencyCycles = sum((cost) => cost.latencyCycles);
  const latencyMs = clockMhz === undefined ? undefined : latencyCycles / (clockMhz * 1000);
  return {
    energyPj,
    latencyCycles,
    ...(latencyMs !== undefined && { latencyMs, edpJouleSeconds: energyPj * 1e-12 * latencyMs * 1e-3 }),
    layers: layers.map(({ layer: { name, macs, repetitions }, mapping, cost }) => ({
      name,
      macs,
      repetitions,
      mapping,
      cost,
    })),
  };
}

/** A line a layer, and the totals. */
export function describeNetworkCost({
  energyPj,
  latencyCycles,
  latencyMs,
  edpJouleSeconds,
  layers,
}: NetworkCost): string[] {
  const time = latencyMs === undefined ? "" : ` (${latencyMs.toPrecision(4)} ms)`;
  const edp = edpJouleSeconds === undefined ? "" : `, EDP ${edpJouleSeconds.toPrecision(4)} J·s`;
  return [
    ...formatTable(
      ["layer", "MACs", "cycles", "nJ", "utilization", "limited by"],
      layers.map(({ name, macs, cost }) => [
        name,
        `${macs}`,
        `${cost.latencyCycles}`,
        (cost.energyPj / 1000).toFixed(1),
        `${(100 * cost.utilization).toFixed(1)} %`,
        cost.limitedBy.resource === "compute" ? "compute" : `${cost.limitedBy.level} ${cost.limitedBy.port}`,
      ]),
    ),
    `one image: ${(energyPj / 1e6).toPrecision(5)} µJ, ${latencyCycles} cycles${time}${edp}`,
  ];
}

/** Every mapping as a loop nest, with its cost by level. */
export function describeLayers({ layers }: NetworkCost): string[] {
  return layers.flatMap(({ name, mapping, cost }) => [`${name}:`, printMapping(mapping), printCost(cost), ""]);
}
