import type { RandomStream } from "@dovetail/core";
import { inputError } from "@dovetail/core";
import { eyerissLikeChoices } from "@dovetail/hardware";
import {
  type AsicDesign,
  asicDesignSpace,
  asicUnitsFor,
  createAsicModel,
  probabilities,
  referenceAsicDesign,
} from "@dovetail/search";
import { alternate } from "./alternate.js";
import { checkConstraints } from "./constraints.js";
import type { CoSearchOptions } from "./options.js";
import type { HardwareFigures, LayerResult } from "./result.js";
import { spaceLayers, type Target } from "./target.js";

/** An ASIC of the Eyeriss-like family: least energy-delay product under an area limit. */
export function createAsicTarget(options: CoSearchOptions, random: RandomStream): Target {
  const { constraints, effort, search } = options;
  const { clockHz } = options.target;
  const reference = referenceAsicDesign(clockHz);
  const areaMm2 = constraints.areaMm2 === "reference" ? reference.areaMm2 : constraints.areaMm2;
  const limits = {
    areaMm2,
    latencyMs: constraints.latencyMs,
    energyPj: constraints.energyPj,
    framesPerSecond: constraints.framesPerSecond,
  };
  const model = createAsicModel({
    clockHz,
    limits: {
      areaMm2,
      latencyCycles: smallest(
        constraints.latencyMs && (constraints.latencyMs * clockHz) / 1000,
        constraints.framesPerSecond && clockHz / constraints.framesPerSecond,
      ),
      energyPj: constraints.energyPj,
    },
    mapperEvaluations: effort.mapperEvaluations,
    learningRate: search.acceleratorLearningRate,
    random: random.split("mapper"),
  });

  return {
    search: ({ graphs, referenceGraph, ...request }) =>
      alternate({
        ...request,
        hardware: model,
        layers: spaceLayers(model, graphs),
        referenceLayers: model.layersOf(referenceGraph),
        describeDesigns: (state) =>
          state.choices.map(({ logits }, index) => {
            const { name } = asicDesignSpace.parameters[index]!;
            const options = eyerissLikeChoices[name as keyof typeof eyerissLikeChoices];
            return { name, options: [...options], probabilities: probabilities(logits) };
          }),
      }),
    async design({ graph, accelerator, random: stream, designState, watch }) {
      const layers = model.layersOf(graph);
      if (accelerator === "reference") {
        const own = referenceAsicDesign(clockHz, asicUnitsFor(layers));
        return { ...figuresOf(layers, own), evaluations: 0, trace: [] };
      }
      const redesign = await model.redesign(layers, designState as Parameters<typeof model.redesign>[1], {
        evaluations: effort.finalAcceleratorEvaluations,
        random: stream,
        watch,
      });
      return { ...figuresOf(layers, redesign.design), evaluations: redesign.evaluations, trace: redesign.trace };
    },
    constraints: (hardware) => checkConstraints(limits, hardware),
  };

  function figuresOf(layers: ReturnType<typeof model.layersOf>, design: AsicDesign) {
    const mapping = model.map(layers, design, effort.finalMapperEvaluations);
    if (!mapping.ok) {
      const { name } = layers[mapping.unmapped[0]!]!;
      throw inputError("layer_unmapped", `layer "${name}" has no mapping on ${design.architecture.name}`, {
        hint: "its smallest tile does not fit the memories",
      });
    }
    const results = mapping.layers.map((mapped, index): LayerResult => {
      const { name, problem, macs } = layers[index]!;
      const { mapping: found, cost } = mapped;
      return { name, problem, macs, latencyCycles: cost.latencyCycles, mapping: found, cost };
    });
    return {
      accelerator: { kind: "asic" as const, architecture: design.architecture, parameters: design.parameters },
      hardware: hardwareFigures(design, results, clockHz),
      layers: results,
    };
  }
}

function hardwareFigures(design: AsicDesign, layers: readonly LayerResult[], clockHz: number): HardwareFigures {
  const latencyCycles = layers.reduce((sum, layer) => sum + layer.latencyCycles, 0);
  const energyPj = layers.reduce((sum, layer) => sum + layer.cost!.energyPj, 0);
  const latencySeconds = latencyCycles / clockHz;
  return {
    target: design.architecture.name,
    clockHz,
    latencyCycles,
    latencyMs: latencySeconds * 1000,
    framesPerSecond: 1 / latencySeconds,
    energyPj,
    edpJouleSeconds: energyPj * 1e-12 * latencySeconds,
    areaMm2: design.areaMm2,
  };
}

function smallest(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
