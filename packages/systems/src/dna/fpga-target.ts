import { internalError } from "@dovetail/core";
import { type FpgaLayer, fpgaBoards } from "@dovetail/hardware";
import { createFpgaModel, type FpgaDesign } from "@dovetail/search";
import { alternate } from "./alternate.js";
import { checkConstraints } from "./constraints.js";
import type { CoSearchOptions } from "./options.js";
import type { HardwareFigures, LayerResult } from "./result.js";
import { spaceLayers, type Target } from "./target.js";

/** An FPGA board with the chunk pipeline: most frames per second within its limits, accelerator by the exact solver. */
export function createFpgaTarget(options: CoSearchOptions): Target {
  const { constraints } = options;
  if (options.target.kind !== "fpga") throw internalError("target_kind", "not an FPGA target");
  const { clockHz, board: boardName } = options.target;
  const board = fpgaBoards[boardName];
  const limits = {
    dsp: constraints.dsp ?? board.dsp,
    bram: constraints.bram ?? board.bram,
    latencyMs: constraints.latencyMs,
    framesPerSecond: constraints.framesPerSecond,
  };
  const model = createFpgaModel({ board, clockHz, limits });

  return {
    search: ({ graphs, referenceGraph, ...request }) =>
      alternate({
        ...request,
        hardware: model,
        layers: spaceLayers(model, graphs),
        referenceLayers: model.layersOf(referenceGraph),
        describeDesigns: () => [],
      }),
    // Reference and searched are the same here: the board's exact optimum for the network.
    async design({ graph, random, watch }) {
      const problems = model.problemsOf(graph);
      const layers = model.layersOf(graph);
      const { design, evaluations } = await model.redesign(layers, undefined, { evaluations: 1, random, watch });
      return {
        accelerator: { kind: "fpga", board: boardName, clockHz, pipeline: design! },
        hardware: hardwareFigures(boardName, design!, clockHz),
        layers: layerResults(layers, problems, design!),
        evaluations,
        trace: [],
      };
    },
    constraints: (hardware) => checkConstraints(limits, hardware),
  };
}

function layerResults(
  layers: readonly FpgaLayer[],
  problems: readonly { readonly problem: LayerResult["problem"]; readonly macs: number }[],
  design: FpgaDesign,
): LayerResult[] {
  return layers.map((layer, index): LayerResult => {
    const chunk = design.chunks.find(({ layerIndices }) => layerIndices.includes(index))!;
    const latencyCycles = chunk.layerCycles[chunk.layerIndices.indexOf(index)]!;
    return { name: layer.name, ...problems[index]!, latencyCycles, chunk: chunk.name };
  });
}

function hardwareFigures(board: string, design: FpgaDesign, clockHz: number): HardwareFigures {
  return {
    target: board,
    clockHz,
    latencyCycles: design.imageLatencySeconds * clockHz,
    latencyMs: design.imageLatencySeconds * 1000,
    framesPerSecond: design.framesPerSecond,
    dsp: design.dsp,
    bram: design.bram,
  };
}
