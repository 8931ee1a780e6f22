// An FPGA board with the chunk pipeline: frames per second within its slices and memories, accelerator by the exact solver.
import { inputError } from "@dovetail/core";
import type { Graph } from "@dovetail/graph";
import {
  createFpgaSolver,
  extractWorkloads,
  type FpgaBoard,
  type FpgaLayer,
  type FpgaSolution,
  fpgaLayerOf,
  fpgaTemplate,
  type Layer,
} from "@dovetail/hardware";
import { argmax } from "../sampling/categorical.js";
import type { HardwareModel, SpaceLayers } from "./hardware-model.js";

export interface FpgaModelOptions {
  readonly board: FpgaBoard;
  readonly clockHz: number;
  readonly limits: { readonly dsp: number; readonly bram: number };
}

/** A pipeline that the solver found. */
export type FpgaDesign = Extract<FpgaSolution, { feasible: true }>;

/** The exact solver needs no design to start from and keeps no state. */
export interface FpgaModel extends HardwareModel<FpgaLayer, FpgaDesign | undefined, null> {
  solve(layers: readonly FpgaLayer[]): FpgaSolution;
  /** The loop nests of a graph, in the order of `layersOf`. */
  problemsOf(graph: Graph): readonly Layer[];
}

const problemsOf = (graph: Graph): readonly Layer[] => extractWorkloads(graph, { batchSize: 1 }).layers;

export function createFpgaModel({ board, clockHz, limits }: FpgaModelOptions): FpgaModel {
  const solver = createFpgaSolver(fpgaTemplate({ board, clockHz }));
  const solve = (layers: readonly FpgaLayer[]): FpgaSolution => solver.solve(layers, limits);
  const logCost = (layers: readonly FpgaLayer[]): number => {
    const solution = solve(layers);
    return solution.feasible ? Math.log(solution.bottleneckCycles) : Number.POSITIVE_INFINITY;
  };
  return {
    solve,
    problemsOf,
    layersOf: (graph) => problemsOf(graph).map(({ name, problem }) => fpgaLayerOf(name, problem)),
    referenceDesign: undefined,
    logCost,
    operatorPrices: (space, distributions) => swapPrices(space, distributions, logCost),
    async redesign(layers) {
      const design = solve(layers);
      if (!design.feasible) {
        throw inputError("constraint_infeasible", "the network's pipeline does not fit the board's limits", {
          path: ["constraints"],
          expected: "more DSP slices or block memories",
          received: `${limits.dsp} DSP, ${limits.bram} BRAM`,
        });
      }
      return { design, state: null, evaluations: 1 };
    },
  };
}

/** What an operator that does not fit is charged above the dearest that does, in the logarithm of the cost. */
const infeasiblePenalty = 1;

/** Prices around the likeliest network, each by an exact solution of the network with that operator in its place. */
function swapPrices(
  space: SpaceLayers<FpgaLayer>,
  distributions: readonly (readonly number[])[],
  logCost: (layers: readonly FpgaLayer[]) => number,
): { logCost: number; prices: number[][] } {
  const choices = distributions.map(argmax);
  const layersOf = (changed: number, operator: number): FpgaLayer[] => [
    ...space.fixed,
    ...space.positions.flatMap(
      (operators, position) => operators[position === changed ? operator : choices[position]!]!,
    ),
  ];
  const prices = space.positions.map((operators, position) => {
    const row = operators.map((_, operator) => logCost(layersOf(position, operator)));
    const dearest = Math.max(...row.filter(Number.isFinite));
    return row.map((price) => (Number.isFinite(price) ? price : dearest + infeasiblePenalty));
  });
  return { logCost: logCost(layersOf(-1, 0)), prices };
}
