import { createRandomStream } from "@dovetail/core";
import { type PublishedNetwork, publishedNetwork, scalableMachineKinds } from "@dovetail/hardware";
import type { Json } from "@dovetail/train";
import type { Conclusion, Scale } from "../../reproduction/card.js";
import type { Piece, PieceContext } from "../../reproduction/reproduction.js";
import { studyClaims } from "./claims.js";
import { networkOnMachine } from "./machine-cost.js";
import { fairness, resultSchema, studyNetworks } from "./result.js";
import { studyTables } from "./tables.js";
import { unitPrecisions } from "./unit-rows.js";
import { type VariantName, variantNames, variantOf } from "./variants.js";

// Bit Fusion, Stripes and 2-in-1 on the same area of units around the same memories: what an image of four networks costs
// at every precision, each layer with a dataflow searched for it.

interface Effort {
  readonly networks: readonly PublishedNetwork[];
  readonly evaluations: number;
  readonly seeds: readonly number[];
  /** All but the first run with the first seed alone. */
  readonly variants: readonly VariantName[];
}

const efforts: Readonly<Record<Scale, Effort>> = {
  quick: { networks: ["AlexNet", "ResNet-18"], evaluations: 60, seeds: [0], variants: ["grouped"] },
  full: { networks: studyNetworks, evaluations: 400, seeds: [0, 1, 2], variants: variantNames },
};

const prefix = "accelerator";

/** What an evaluated mapping takes of an epoch of natural training: measured on 10,000 images by ResNet-14. */
const mappingWork = 1 / 1.2e6;

/** A piece for every variant, network and seed. */
export function acceleratorPieces(scale: Scale): readonly Piece[] {
  const { networks, evaluations, seeds, variants } = efforts[scale];
  return variants.flatMap((variant, index) =>
    (index === 0 ? seeds : seeds.slice(0, 1)).flatMap((seed) =>
      networks.map((network): Piece => {
        const layers = publishedNetwork(network, { bits: 8 }).length;
        return {
          name: `${prefix}-${variant}-${network}-seed${seed}`,
          work: layers * unitPrecisions.length * scalableMachineKinds.length * evaluations * mappingWork,
          run: async ({ watch }) => ({
            variant,
            network,
            seed,
            costs: costsOnMachines(variant, network, seed, evaluations, watch),
          }),
        };
      }),
    ),
  );
}

/** By kind of unit, then by bits. */
function costsOnMachines(
  variant: VariantName,
  network: PublishedNetwork,
  seed: number,
  evaluations: number,
  { signal, onProgress }: PieceContext["watch"],
) {
  const { machines, model } = variantOf(variant);
  const total = scalableMachineKinds.length * unitPrecisions.length;
  let done = 0;
  return Object.fromEntries(
    scalableMachineKinds.map((kind) => {
      const byBits = unitPrecisions.map((bits) => {
        signal?.throwIfAborted();
        const random = createRandomStream(seed);
        const layers = publishedNetwork(network, { bits });
        const cost = networkOnMachine(layers, machines[kind], { random, evaluations, model, signal });
        onProgress?.({ task: `${network}, ${variant}`, done: ++done, total, unit: "searches" });
        return [bits, { ...cost }] as const;
      });
      return [kind, Object.fromEntries(byBits)] as const;
    }),
  );
}

/** What the pieces' results say; those of other parts of a reproduction may stand among them. */
export function concludeAccelerator(scale: Scale, results: ReadonlyMap<string, Json>): Conclusion {
  const { networks, evaluations, seeds } = efforts[scale];
  const own = [...results].flatMap(([name, value]) =>
    name.startsWith(`${prefix}-`) ? [resultSchema.parse(value)] : [],
  );
  return {
    setup: [
      `Accelerator: one machine with Bit Fusion's memories (32 KiB of inputs, 64 KiB of weights, 16 KiB of outputs, LPDDR4 at 192 bit a cycle; 45 nm, 500 MHz) and three kinds of units on the area of Bit Fusion's 512: 2,496 of 2-in-1's, 512 of Bit Fusion's, 8,192 lanes of Stripes'. Operands come from the same buffers through the same ports. All layers of ${networks.join(", ")} run at the precision of the image. For each of them the evolutionary mapper tries ${evaluations} dataflows on every machine at every precision and takes the one of the least energy-delay product; seeds ${seeds.join(", ")} are its.`,
      "Products a cycle are counted on bit-exact models of the units; areas and energies are ratios from our own synthesis at 2 to 8 bit, the fixed 8×8 unit put at 0.298 pJ.",
      fairness,
    ],
    claims: [...studyClaims(own)],
    notRun: [
      {
        text: "accelerators above 8 bit",
        source: "MICRO 2021 (its unit reaches 16 bit)",
        claimed: 16,
        unit: "bit",
        reason: "no source: serial and tiled units wider than 8 bit have not been synthesised",
      },
    ],
    tables: [...studyTables(own)],
  };
}
