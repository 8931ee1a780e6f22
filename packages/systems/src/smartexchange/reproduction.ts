import type { StructuredAnnotation } from "@dovetail/graph";
import type { Conclusion, Scale } from "../reproduction/card.js";
import type { PieceContext, Reproduction } from "../reproduction/reproduction.js";
import type { OwnNetwork } from "./accelerator/own-network.js";
import { acceleratorPieces, concludeAccelerator, type OwnSubject } from "./accelerator/study.js";
import { concludeSmartExchange } from "./conclude.js";
import { type Experiment, experiments, type NetworkExperiment, networkFor, seedsOf } from "./experiment.js";
import { keptName, piecesOf } from "./pieces.js";

/** SmartExchange against pruning, low rank and quantization at equal storage, and its accelerator against four others. */
export const smartExchangeReproduction: Reproduction = {
  system: "smartexchange",
  title: "SmartExchange",
  scales: {
    quick: {
      summary:
        "ResNet-8 and VGG-11-BN on 2,000 bundled CIFAR-10 images, 2 to 6 epochs a training, one seed; three networks' layers on five accelerators; some minutes",
      seeds: seedsOf(experiments.quick),
    },
    full: {
      summary:
        "ResNet-20 and VGG-11-BN on 10,000 CIFAR-10 images, 10 to 15 epochs in float32 and 3 to 4 with each method, three seeds of ResNet-20, one of VGG-11; seven networks' layers on five accelerators; about three CPU-hours",
      seeds: seedsOf(experiments.full),
    },
  },
  pieces: (scale) => [
    ...piecesOf(experiments[scale]),
    ...acceleratorPieces(scale, compressedNetworks(experiments[scale])),
  ],
  conclude: together,
};

function together(scale: Scale, results: ReadonlyMap<string, unknown>): Conclusion {
  const algorithm = concludeSmartExchange(scale, results);
  const accelerator = concludeAccelerator(scale, results);
  return {
    setup: [...algorithm.setup, ...accelerator.setup],
    claims: [...algorithm.claims, ...accelerator.claims],
    notRun: [...algorithm.notRun, ...accelerator.notRun],
    tables: [...algorithm.tables, ...accelerator.tables],
  };
}

/** What the trainings of the first seed end with: rows pruned filter by filter, and for all filters that run in step. */
export function compressedNetworks(experiment: Experiment): OwnSubject[] {
  return experiment.networks.flatMap((settings) => {
    const { name, depth: layers } = settings;
    return [
      { name, layers, load: (context) => loadCompressed(experiment, settings, "own", context) },
      { name: `${name}-shared`, layers, load: (context) => loadCompressed(experiment, settings, "shared", context) },
    ];
  });
}

async function loadCompressed(
  { data }: Experiment,
  settings: NetworkExperiment,
  rows: "own" | "shared",
  context: PieceContext,
): Promise<OwnNetwork> {
  const dataset = await context.dataset(data);
  const [seed] = settings.seeds;
  const name = rows === "own" ? keptName.smartExchange : keptName.shared;
  const { tensors, state } = await context.kept(name(settings.name, seed!));
  // Costed once, beside the first form.
  const pruned = rows === "own" ? await context.kept(keptName.pruning(settings.name, seed!)) : undefined;
  const { annotations } = state as unknown as { annotations: Record<string, StructuredAnnotation> };
  return {
    network: networkFor(settings, dataset),
    weights: tensors,
    annotations,
    pruned: pruned?.tensors,
    dataset,
  };
}
