// Files and mappings of a trained switchable network: what deployment costs, by mapper.
import { createRandomStream, internalError } from "@dovetail/core";
import { type Tensor, tensorFromData } from "@dovetail/graph";
import {
  type Architecture,
  evaluateCost,
  eyerissLike,
  type MapperName,
  type Mapping,
  rowStationaryMapping,
} from "@dovetail/hardware";
import type { Network } from "@dovetail/models";
import type { Layer, SwitchableNetwork } from "@dovetail/quant";
import { openModel } from "@dovetail/runtime";
import { createPredictor, evaluatePredictor, type ImageDataset } from "@dovetail/train";
import { z } from "zod";
import { exportPrecision } from "../bundle/export-precision.js";
import { graphAtPrecision } from "../bundle/graph-at-precision.js";
import { atWidth, type MappedPrecision, mapPrecision, operandBits, totalCost } from "../bundle/map-precision.js";
import type { PieceContext } from "../reproduction/reproduction.js";
import type { Experiment } from "./experiment.js";
import { evaluatePrecisions } from "./train-switchable.js";

const mappingSchema = z.object({
  /** Energy-delay product of an image, J·s. */
  searched: z.number(),
  random: z.number(),
  /** The row-stationary mapping by rule, without a search. */
  rowStationary: z.number(),
  /** The mappings found at the highest precision, left as they are at this one. */
  unswitched: z.number(),
  energyPj: z.number(),
  latencyMs: z.number(),
  /** Layers whose energy-delay product is smaller than at the next higher precision, and all that switch. */
  fallingLayers: z.number(),
  switchingLayers: z.number(),
});

export const deploymentSchema = z.object({
  /** By bits. */
  files: z.record(z.string(), z.object({ form: z.string(), accuracy: z.number(), ours: z.number() })),
  mappings: z.record(z.string(), mappingSchema),
  /** Time that an image takes longer where every image is predicted at another precision than the one before, ms. */
  switchMs: z.number(),
});
export type DeploymentFigures = z.output<typeof deploymentSchema>;

export interface DeploymentOptions {
  readonly dataset: ImageDataset;
  readonly base: Network;
  readonly switchable: SwitchableNetwork;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly experiment: Experiment;
  readonly context: PieceContext;
  readonly fullPrecision?: ((layer: Layer) => boolean) | undefined;
}

export async function deploymentFigures(options: DeploymentOptions): Promise<DeploymentFigures> {
  return {
    files: await measureFiles(options),
    mappings: mapAll(options),
    switchMs: await switchingTimeMs(options),
  };
}

const timedImages = 60;

/** A measurement of this machine's clock, the only one here. */
async function switchingTimeMs({ dataset, switchable, weights, context }: DeploymentOptions): Promise<number> {
  const { network, bitWidths, setting } = switchable;
  let scalars = setting(bitWidths[0]!);
  const predictor = await createPredictor({ runtime: context.runtime, network, weights, scalars: () => scalars });
  const size = dataset.imageShape.reduce((product, length) => product * length, 1);
  const pixels = Float32Array.from(dataset.images("test").subarray(0, size));
  const image = tensorFromData("float32", [1, ...dataset.imageShape], pixels);
  const timeOf = async (precisions: readonly number[]): Promise<number> => {
    const times: number[] = [];
    for (let index = 0; index < timedImages; index++) {
      const start = performance.now();
      scalars = setting(precisions[index % precisions.length]!);
      await predictor.predict(image);
      times.push(performance.now() - start);
    }
    // The median: whatever else the machine does prolongs some.
    return times.sort((a, b) => a - b)[timedImages >> 1]!;
  };
  try {
    await timeOf(bitWidths);
    let constant = 0;
    for (const bits of bitWidths) constant += (await timeOf([bits])) / bitWidths.length;
    return (await timeOf(bitWidths)) - constant;
  } finally {
    await predictor.release();
  }
}

/** Accuracy of each precision's file in plain ONNX Runtime beside that of the switchable network. */
async function measureFiles({
  dataset,
  base,
  switchable,
  weights,
  context,
}: DeploymentOptions): Promise<DeploymentFigures["files"]> {
  const { runtime } = context;
  const own = await evaluatePrecisions({ runtime, switchable, weights, dataset, part: "test" });
  const files: DeploymentFigures["files"] = {};
  for (const bits of switchable.bitWidths) {
    const { onnx, form } = await exportPrecision({ runtime, base, switchable, weights, bits, dataset });
    const model = await openModel(onnx);
    const predict = async (images: Tensor): Promise<Float32Array> => {
      const outputs = await model.run({ [model.inputNames[0]!]: images });
      return outputs[model.outputNames[0]!]!.data as Float32Array;
    };
    const measured = await evaluatePredictor(
      { predict, classCount: dataset.classNames.length },
      { dataset, part: "test" },
    );
    await model.release();
    files[`${bits}`] = { form, accuracy: measured.accuracyFraction, ours: own.get(bits)!.accuracyFraction };
  }
  return files;
}

const architecture = eyerissLike();
const clockHz = 200e6;

/** Every precision, the widest first: what is found there is known at fewer bits. */
function mapAll({
  base,
  experiment,
  context,
  fullPrecision,
  switchable,
}: DeploymentOptions): DeploymentFigures["mappings"] {
  const random = createRandomStream(experiment.seeds[0]!).split("mappings");
  const map = (bits: number, mapper: MapperName, known?: ReadonlyMap<string, Mapping>): MappedPrecision =>
    mapPrecision({
      graph: graphAtPrecision(base, bits, fullPrecision),
      architecture,
      clockHz,
      evaluations: experiment.mapperEvaluations,
      mapper,
      known,
      random: random.split(bits),
      watch: { signal: context.watch.signal },
    });
  const figures: DeploymentFigures["mappings"] = {};
  let wider: MappedPrecision | undefined;
  let widest: ReadonlyMap<string, Mapping> = new Map();
  for (const bits of [...switchable.bitWidths].sort((a, b) => b - a)) {
    const found = map(bits, "evolutionary", wider && mappingsOf(wider));
    if (!wider) widest = mappingsOf(found);
    const switching = found.layers.filter(({ layer }) => operandBits(layer) === (bits > 16 ? 32 : bits));
    const falling = switching.filter(({ name, cost }) => {
      const before = wider?.layers.find((layer) => layer.name === name);
      return before !== undefined && cost.edpJouleCycles < before.cost.edpJouleCycles;
    });
    figures[`${bits}`] = {
      searched: found.cost.edpJouleSeconds,
      random: map(bits, "random").cost.edpJouleSeconds,
      rowStationary: costUnder(found, ({ problem }, at) => rowStationaryMapping(problem, at)),
      unswitched: costUnder(found, (_, __, name) => widest.get(name)!),
      energyPj: found.cost.energyPj,
      latencyMs: found.cost.latencyMs,
      fallingLayers: wider ? falling.length : switching.length,
      switchingLayers: switching.length,
    };
    wider = found;
  }
  return figures;
}

function mappingsOf({ layers }: MappedPrecision): Map<string, Mapping> {
  return new Map(layers.map(({ name, mapping }) => [name, mapping]));
}

type MappingOf = (layer: MappedPrecision["layers"][number]["layer"], at: Architecture, name: string) => Mapping;

/** Energy-delay product of the layers, J·s, under given mappings. */
function costUnder({ layers }: MappedPrecision, mappingOf: MappingOf): number {
  const costed = layers.map(({ name, layer }) => {
    const at = atWidth(architecture, operandBits(layer));
    const cost = evaluateCost(layer.problem, at, mappingOf(layer, at, name));
    if (!cost.ok) throw internalError("given_mapping", `layer ${name} does not fit its given mapping`);
    return { layer, cost };
  });
  return totalCost(costed, clockHz).edpJouleSeconds;
}
