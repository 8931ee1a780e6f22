import { createRandomStream } from "@dovetail/core";
import { publishedNetwork } from "@dovetail/hardware";
import type { Conclusion, Scale } from "../../reproduction/card.js";
import type { Piece, PieceContext } from "../../reproduction/reproduction.js";
import { studyClaims } from "./claims.js";
import { networkOnMachine } from "./machine-cost.js";
import { type MachineName, machineNames, machines } from "./machines.js";
import { measuredActivations } from "./measured-activations.js";
import { type OwnNetwork, ownNetworkOnMachines } from "./own-network.js";
import { ownResultSchema, resultSchema, resultsOf, type StudyResult } from "./result.js";
import { type StudyNetwork, studyNetworks } from "./statistics.js";
import { ownTables, studyTables } from "./tables.js";
import { variantNames, variants } from "./variants.js";

// SmartExchange's accelerator beside DianNao, SCNN, Cambricon-X and Bit-Pragmatic: what an image of seven networks costs on
// each, every layer with a mapping searched for it with the same effort.

interface Effort {
  readonly networks: readonly StudyNetwork[];
  readonly evaluations: number;
  readonly seeds: readonly number[];
}

const efforts: Readonly<Record<Scale, Effort>> = {
  quick: { networks: ["VGG-11", "VGG-19", "MobileNetV2"], evaluations: 60, seeds: [0] },
  full: { networks: studyNetworks, evaluations: 400, seeds: [0, 1, 2] },
};

const prefix = "accelerator";
const ownPrefix = "own-on-accelerators";

/** A network that an earlier piece compressed. */
export interface OwnSubject {
  readonly name: string;
  /** About the number of its layers. */
  readonly layers: number;
  load(context: PieceContext): Promise<OwnNetwork>;
}

/** An evaluated mapping in the unit of the reproduction's trainings, an epoch of ResNet-20 on 10,000 images: some 20 s. */
const mappingWork = 5e-6;

/** A piece for every network, machine and seed, and every variant with the first seed, after one for each network that was compressed before. */
export function acceleratorPieces(scale: Scale, own: readonly OwnSubject[]): readonly Piece[] {
  const { networks, seeds } = efforts[scale];
  return [
    ...own.map((subject) => ownPiece(scale, subject)),
    ...networks.flatMap((network) => [
      ...seeds.flatMap((seed) => machineNames.map((machine) => piece(scale, { machine, network, seed }))),
      ...variantNames.map((variant) =>
        piece(scale, { machine: variants[variant].of, variant, network, seed: seeds[0]! }),
      ),
    ]),
  ];
}

function ownPiece(scale: Scale, { name, layers, load }: OwnSubject): Piece {
  const { evaluations, seeds } = efforts[scale];
  return {
    name: `${ownPrefix}-${name}`,
    work: layers * machineNames.length * evaluations * mappingWork,
    run: async (context) => {
      const random = createRandomStream(seeds[0]!);
      const own = await load(context);
      return { network: name, ...(await ownNetworkOnMachines(own, { random, evaluations, watch: context.watch })) };
    },
  };
}

type Subject = Pick<StudyResult, "network" | "seed" | "variant"> & { readonly machine: MachineName };

function piece(scale: Scale, { machine, variant, network, seed }: Subject): Piece {
  const { evaluations } = efforts[scale];
  const accelerator = variant === undefined ? machines[machine] : variants[variant].machine;
  const parts = [prefix, network, machine, ...(variant === undefined ? [] : [variant.replaceAll(" ", "-")])];
  return {
    name: `${parts.join("-")}-seed${seed}`.replaceAll("+", "plus"),
    work: publishedNetwork(network, { bits: 8 }).length * evaluations * mappingWork,
    run: async ({ watch }) => ({
      machine,
      ...(variant !== undefined && { variant }),
      network,
      seed,
      ...networkOnMachine(accelerator, { machine, network, random: createRandomStream(seed), evaluations, watch }),
    }),
  };
}

/** What the pieces' results say; those of other parts of a reproduction may stand among them. */
export function concludeAccelerator(scale: Scale, all: ReadonlyMap<string, unknown>): Conclusion {
  const { evaluations, seeds } = efforts[scale];
  const own = [...all].flatMap(([name, value]) => (name.startsWith(`${prefix}-`) ? [resultSchema.parse(value)] : []));
  const results = resultsOf(own);
  const compressed = [...all].flatMap(([name, value]) =>
    name.startsWith(`${ownPrefix}-`) ? [ownResultSchema.parse(value)] : [],
  );
  return {
    setup: [
      "Accelerator: five machines at 28 nm and 1 GHz with the paper's unit energies, about 772 KB on chip, 64 GB/s (ours), and 1,024 multipliers of 8 bit or 8,192 bit-serial ones. The paper's baselines are known by these totals only; their structure here is ours, and what is left out of it (waiting for the slowest element, indexing in Cambricon-X and SCNN, conflicts of banks) favours them, and so do SCNN's ports, wide enough for 4×4 products a cycle, and that its memories are read for no product that is skipped. SmartExchange is charged its indices, its rebuilding with the engines' pace, the waiting of eight neighbouring multipliers, and that of 64 slices: they work in step, on every row that a filter of the 64 needs. That lines find as many pairs of rows as their neighbours favours it.",
      `For each distinct layer of ${results.networks.join(", ")} the evolutionary mapper tries ${evaluations} mappings on every machine, and the one of the least energy-delay product counts, in the model exact; seeds ${seeds.join(", ")} are its.`,
      `Zero rows of weights are recalled from the paper's tables and checked against nothing, one share for all layers of a network; where none are recalled (MobileNetV2, EfficientNet-B0, DeepLabV3+) there are none. Groups of 32 filters share a pattern, as in the public code; the two groups in 64 slices are taken to be independent. The baselines meet as many zero weights. Activations behind a ReLU are those of ${measuredActivations.source}; they stand for all networks, which we have not trained. A network's first layer reads pixels of which every code is equally likely; EfficientNet-B0's swish and the linear ends of MobileNetV2's blocks have no zeros (assumed: normal values). Zero rows of activations are measured where kernels have rows; 1×1 layers are taken to have none.`,
    ],
    claims: [...studyClaims(results)],
    notRun: [],
    tables: [...studyTables(results), ...(compressed.length > 0 ? ownTables(compressed) : [])],
  };
}
