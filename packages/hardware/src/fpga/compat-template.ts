import { inputError } from "@dovetail/core";
import { compatBoard, compatModel } from "./compat-model.js";
import { type CompatDataset, compatModes, compatSpace, compatThreshold } from "./compat-network.js";
import type { ChunkDesign } from "./design.js";
import type { FpgaLayerKind } from "./layer.js";
import type { FpgaTemplate } from "./template.js";

/** The published pipeline: its model, design lists and dealing rule. */
export function compatTemplate(dataset: CompatDataset): FpgaTemplate {
  return {
    model: compatModel,
    space: (kind, large) => compatSpace(dataset, kind, large),
    splitSize: compatThreshold[dataset],
    clockHz: compatBoard.clockHz,
  };
}

/**
 * A design from the published parameter list: mode, tile rows, columns, output channels, input channels, then the
 * unrolls in the same order (anything after them, as the published bits, is not read). Throws `bad_design`.
 */
export function compatDesign(parameters: readonly number[], kind: FpgaLayerKind): ChunkDesign {
  const parallelism = compatModes[kind][parameters[0] ?? -1];
  if (parallelism === undefined || parameters.length < 9) {
    throw inputError("bad_design", "not a published parameter list", {
      expected: `a mode below ${compatModes[kind].length} and eight extents`,
      received: parameters.join(", "),
    });
  }
  return {
    parallelism,
    tileRows: parameters[1]!,
    tileColumns: parameters[2]!,
    tileOutputChannels: parameters[3]!,
    tileInputChannels: parameters[4]!,
    unrollRows: parameters[5]!,
    unrollColumns: parameters[6]!,
    unrollOutputChannels: parameters[7]!,
    unrollInputChannels: parameters[8]!,
  };
}
