// The energy that SmartDeal's trainings and their networks are modelled to take.

import { structuredFormOf } from "@dovetail/graph";
import { type Network, vgg } from "@dovetail/models";
import type { PieceContext } from "../reproduction/reproduction.js";
import { type Experiment, networkFor } from "./experiment.js";
import { layerShape } from "./factored-network.js";
import { type EnergyRow, type ModelledEnergy, type PieceFigures, pieceFiguresSchema, pieceName } from "./figures.js";
import { inferenceEnergyPj } from "./inference-energy.js";
import { coefficientState, type MethodInput, methodSchema } from "./methods.js";
import { factoredBits, type Parameters, stepEnergy, storedBasis, totalPj } from "./training-energy.js";
import type { Arithmetic } from "./training-machine.js";

type Kept = PieceFigures["storage"]["kept"];

/** Shares of rows that would give more storage and less energy, at a loss of accuracy. */
const fewerShares = [0.65, 0.5, 0.35] as const;

/** Steps of one image and of the experiment's batch: of its network as trained, and of a wide one's shapes. */
export async function runEnergy(experiment: Experiment, context: PieceContext): Promise<ModelledEnergy> {
  const dataset = await context.dataset(experiment.data);
  const trained = networkFor(experiment, dataset);
  const seed = experiment.seeds[0]!;
  const result = (method: string): PieceFigures =>
    pieceFiguresSchema.parse(context.result(pieceName.scratch(method, seed)));
  const steps: EnergyRow[] = [];
  for (const { name, method, averageOf } of experiment.methods) {
    if (averageOf !== undefined) continue;
    steps.push(...stepRows(experiment, trained, { name, method, kept: result(name).storage.kept }));
    context.watch.signal?.throwIfAborted();
  }
  return {
    steps,
    inference: inferenceRows(trained, result),
    fewerRows: fewerRows(experiment, trained, result("switch-8")),
  };
}

function stepRows(
  { batchSize: wholeBatch }: Experiment,
  trained: Network,
  { name, method, kept }: { readonly name: string; readonly method: MethodInput; readonly kept: Kept },
): EnergyRow[] {
  const wide = vgg({ depth: 11 });
  return [trained, wide].flatMap((network) => {
    const parameters = parametersOf(method, network === trained ? kept : keptOfShapes(network, method));
    return (["float32", "integer8"] as const).flatMap((arithmetic) =>
      [1, wholeBatch].map((batchSize) => {
        const parts = { ...stepEnergy(network, { batchSize, arithmetic, parameters }) };
        return { network: network.name, method: name, arithmetic, batchSize, parts };
      }),
    );
  });
}

/** Dense and ours, as trained with 8-bit operands: without and with the activations' side. */
function inferenceRows(network: Network, result: (method: string) => PieceFigures): ModelledEnergy["inference"] {
  return (
    [
      ["dense", "dense-8"],
      ["ours", "switch-8"],
    ] as const
  ).flatMap(([weights, method]) => {
    const { storage, inputZeros } = result(method);
    const kept = weights === "ours" ? new Map(Object.entries(storage.kept)) : undefined;
    return [false, true].map((usesZeros) => ({
      weights,
      usesZeros,
      energyPj: inferenceEnergyPj(network, { kept, ...(usesZeros && { inputZeros }) }),
    }));
  });
}

function fewerRows(
  { batchSize, methods }: Experiment,
  network: Network,
  { storage: { denseWeightBits, otherBits }, inputZeros }: PieceFigures,
): ModelledEnergy["fewerRows"] {
  const { method } = methods.find(({ name }) => name === "switch")!;
  return fewerShares.map((keptRowShare) => {
    const kept = keptByShare(network, keptRowShare);
    const weightBits = Object.values(kept).reduce((sum, layer) => sum + factoredBits(layer, storedBasis), 0);
    const training = (arithmetic: Arithmetic): number => {
      const step = (parameters: Parameters): number =>
        totalPj(stepEnergy(network, { batchSize, arithmetic, parameters }));
      return step({ kind: "dense" }) / step(parametersOf(method, kept));
    };
    return {
      keptRowShare,
      storage: (denseWeightBits + otherBits) / (weightBits + otherBits),
      training: { float32: training("float32"), integer8: training("integer8") },
      inference:
        inferenceEnergyPj(network, {}) /
        inferenceEnergyPj(network, { kept: new Map(Object.entries(kept)), inputZeros }),
    };
  });
}

function parametersOf(input: MethodInput, kept: Kept): Parameters {
  const method = methodSchema.parse(input);
  if (method.kind === "dense") return { kind: "dense" };
  return { kind: "factored", kept: new Map(Object.entries(kept)), state: coefficientState(method) };
}

function keptOfShapes(network: Network, input: MethodInput): Kept {
  const method = methodSchema.parse(input);
  return method.kind === "dense" ? {} : keptByShare(network, method.keptRowShare);
}

/** What a network keeps when the same share of rows is kept in every layer. */
function keptByShare({ parameters }: Network, share: number): Kept {
  return Object.fromEntries(
    parameters
      .filter(({ role }) => role === "weight")
      .map(({ name, shape }) => {
        const { columns, rowsPerFilter, piecesPerFilter } = structuredFormOf(layerShape(shape));
        const filters = shape[0]!;
        const keptRows = filters * Math.round(share * rowsPerFilter);
        return [name, { columns, rows: filters * rowsPerFilter, keptRows, bases: filters * piecesPerFilter }];
      }),
  );
}
