import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import {
  type Architecture,
  createFpgaSolver,
  type FpgaBoard,
  fpgaLayerOf,
  fpgaTemplate,
  mapLayer,
  type Objective,
  type Problem,
  rowStationaryClockHz,
  rowStationaryCost,
  shapeKey,
} from "@dovetail/hardware";

// Cost models of this toolkit as tables of operators are made: every layer by itself, one after another.

export interface LayerPrice {
  readonly latencyMs: number;
  /** NaN where the model has no energy. */
  readonly energyMj: number;
}

/** Prices a layer. Throws the input error `no_price` for a layer that the accelerator cannot run. */
export interface CostModel {
  readonly name: string;
  price(problem: Problem): LayerPrice;
}

/** The same with what it found remembered by shape. */
function remembered(name: string, price: (problem: Problem) => LayerPrice | undefined): CostModel {
  const known = new Map<string, LayerPrice>();
  return {
    name,
    price(problem) {
      const key = shapeKey(problem);
      let found = known.get(key);
      if (found === undefined) {
        found = price(problem);
        if (found === undefined) {
          throw inputError("no_price", `${name} cannot run a layer`, { received: `${problem.name}: ${key}` });
        }
        known.set(key, found);
      }
      return found;
    },
  };
}

export interface MappedModelOptions extends Pick<Watch, "signal"> {
  readonly random: RandomStream;
  /** Mappings evaluated for each shape. Default 1000. */
  readonly evaluations?: number | undefined;
  /** Default: energy-delay product. */
  readonly objective?: Objective | undefined;
}

/** An accelerator with its mapper. Throws `no_clock` for an architecture that does not say its clock. */
export function mappedModel(architecture: Architecture, options: MappedModelOptions): CostModel {
  const { clockMhz } = architecture;
  if (clockMhz === undefined) {
    throw inputError("no_clock", "latencies in ms need a clock", {
      path: ["clockMhz"],
      expected: "a clock in the architecture",
      received: "none",
    });
  }
  const { random, evaluations = 1000, objective = "edp", signal } = options;
  return remembered(architecture.name, (problem) => {
    signal?.throwIfAborted();
    const seeded = random.split(shapeKey(problem));
    const result = mapLayer(problem, architecture, { objective, evaluations, random: seeded, signal });
    if (!result.ok) return undefined;
    const { latencyCycles, energyPj } = result.cost;
    return { latencyMs: latencyCycles / (clockMhz * 1e3), energyMj: energyPj * 1e-9 };
  });
}

/** The chunk pipeline, each layer on the design of the board that is fastest for it alone. No energy. */
export function fpgaModel(board: FpgaBoard): CostModel {
  const template = fpgaTemplate({ board });
  const solver = createFpgaSolver(template);
  return remembered(`fpga-${board.name}`, (problem) => {
    const solution = solver.solve([fpgaLayerOf(problem.name, problem)], board);
    if (!solution.feasible) return undefined;
    return { latencyMs: solution.imageLatencySeconds * 1e3, energyMj: Number.NaN };
  });
}

/**
 * DNN-Chip-Predictor's closed form, from which HW-NAS-Bench's Eyeriss latencies come (`rowStationaryCost`). It knows no
 * groups, so a grouped layer runs group by group.
 */
export function rowStationaryModel(): CostModel {
  return remembered("dnn-chip-predictor", ({ dimensions, dataSpaces }) => {
    const size = (dimension: string): number => dimensions[dimension] ?? 1;
    const inputs = dataSpaces.find(({ name }) => name === "Inputs");
    const stride = inputs?.projection.flat().find(({ dimension }) => dimension === "P")?.coefficient ?? 1;
    const { chosen } = rowStationaryCost({
      kind: size("P") * size("Q") * size("R") === 1 ? "linear" : "convolution",
      inputChannels: size("C"),
      inputHeight: size("P") * stride,
      inputWidth: size("Q") * stride,
      outputChannels: size("M"),
      outputHeight: size("P"),
      outputWidth: size("Q"),
      kernelSize: size("R"),
      stride,
    });
    const groups = size("G");
    return {
      latencyMs: (groups * chosen.latencyCycles * 1e3) / rowStationaryClockHz,
      energyMj: groups * chosen.energyPj * 1e-9,
    };
  });
}
