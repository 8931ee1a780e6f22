// Accelerators of the zoo as what a network is mapped on: shared by `map` and `cost`.

import {
  type Accelerator,
  type Architecture,
  annotatedStatistics,
  inClockCycles,
  type Layer,
  type LayerStatistics,
  type MappingCost,
  type PipelineAccelerator,
  type Problem,
  readZooDocument,
  specialise,
  specialiseArchitecture,
} from "@dovetail/hardware";
import type { Command } from "commander";
import { inFile, readDocumentFile } from "../files/read-text.js";
import { locateShipped } from "../files/shipped.js";
import { numberBetween } from "./define.js";

/** What layers are mapped on: one architecture for all, or one for each layer's precision and sparsity. */
export interface MappingTarget {
  /** For messages. */
  readonly file: string;
  readonly clockMhz?: number | undefined;
  /** The architecture that a layer meets, the layer as stored on it, and the cost in cycles of its clock. */
  readonly of: (layer: TargetLayer) => {
    readonly architecture: Architecture;
    readonly problem: Problem;
    readonly costOf: (cost: MappingCost) => MappingCost;
  };
}

/** A layer of a network, or a loop nest alone. */
export type TargetLayer = Pick<Layer, "problem"> & Partial<Pick<Layer, "weights" | "inputs" | "outputs">>;

export interface ZeroOptions {
  readonly weightZeros?: number;
  readonly inputZeros?: number;
  readonly keptRows?: number;
}

/** Adds `--accelerator` and what is known of the layers' zeros. */
export function withAcceleratorOptions(command: Command): Command {
  return command
    .option("--accelerator <name>", "an accelerator of the zoo by name, or its file (see `dovetail accelerators`)")
    .option("--weight-zeros <part>", "part of the weights that are zero, for --accelerator", numberBetween(0, 1))
    .option("--input-zeros <part>", "part of the activations that are zero, for --accelerator", numberBetween(0, 1))
    .option(
      "--kept-rows <part>",
      "the weights are in SmartExchange's form with this part of the rows, for --accelerator",
      numberBetween(0, 1),
    );
}

/** A document of the zoo by name or file. Throws `accelerator_missing`, with the names that there are. */
export async function readZoo(name: string): Promise<Accelerator | PipelineAccelerator> {
  const shipped = { folder: "accelerators", code: "accelerator_missing", message: "no such accelerator" } as const;
  const { path } = await locateShipped(shipped, name);
  return readDocumentFile(path, readZooDocument);
}

/** An architecture, which may have an engine for weights that are annotated as compressed. */
export function architectureTarget(file: string, architecture: Architecture): MappingTarget {
  return {
    file,
    clockMhz: architecture.clockMhz,
    of: (layer) => {
      const special = specialiseArchitecture(architecture, layer.problem, statisticsOf(layer, {}));
      return {
        architecture: special.architecture,
        problem: special.problem,
        costOf: (cost) => inClockCycles(cost, special),
      };
    },
  };
}

/** Zeros are those of the options, where they say some, else those that the network's tensors are annotated with. */
export function acceleratorTarget(file: string, accelerator: Accelerator, zeros: ZeroOptions): MappingTarget {
  return {
    file,
    clockMhz: accelerator.clockMhz,
    of: (layer) => {
      const special = inFile(file, () => specialise(accelerator, layer.problem, statisticsOf(layer, zeros)));
      const { architecture, problem: stored } = special;
      return { architecture, problem: stored, costOf: (cost) => inClockCycles(cost, special) };
    },
  };
}

function statisticsOf({ weights, inputs, outputs }: TargetLayer, zeros: ZeroOptions): LayerStatistics {
  const annotated = weights && inputs && outputs ? annotatedStatistics({ weights, inputs, outputs }) : {};
  return {
    ...annotated,
    weightZeroFraction: zeros.weightZeros ?? annotated.weightZeroFraction,
    inputZeroFraction: zeros.inputZeros ?? annotated.inputZeroFraction,
    outputZeroFraction: zeros.inputZeros ?? annotated.outputZeroFraction,
    ...(zeros.keptRows !== undefined && { structured: { keptRowFraction: zeros.keptRows } }),
  };
}
