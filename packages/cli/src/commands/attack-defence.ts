// What `dovetail attack` attacks: an ONNX file, a run's network, either quantized to a set of precisions, or a bundle's
// files, one a precision.

import { join } from "node:path";
import { type Defence, openDefence, openDefenceOfNetworks, straightThroughRounding } from "@dovetail/attack";
import { inputError, withPlace } from "@dovetail/core";
import { networkOfModel } from "@dovetail/models";
import { bitInputs, prepareQuantization } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import { bundleIndexFile, openBundle } from "@dovetail/systems";
import { type ImageDataset, type ImageShape, isPresent } from "@dovetail/train";
import { networkPath, readNetwork } from "../files/read-network.js";
import { runFiles } from "../runs/layout.js";

export interface Attacked {
  /** The file or folder, for messages. */
  readonly path: string;
  /** Where a run lies that says which data set is meant, if it is one. */
  readonly runFolder: string;
  readonly imageShape: ImageShape;
  readonly classCount: number;
  /** `dataset` gives the ranges where the network is quantized. */
  open(runtime: Runtime, dataset: ImageDataset): Promise<Defence>;
}

export interface AttackedOptions {
  readonly pixelRange: readonly [number, number];
  /** Precisions that the defender draws from. */
  readonly set?: readonly number[] | undefined;
}

/**
 * Reads what a path means: a bundle's folder, or with a set of precisions a run's bundle, is attacked file by file;
 * else the network, quantized where there is a set. Throws input errors with the file's name, `unknown_precision` when
 * a bundle has not the set's precisions.
 */
export async function readAttacked(path: string, options: AttackedOptions): Promise<Attacked> {
  const folder = await bundleFolder(path, options.set !== undefined);
  return folder === undefined ? readNetworkAttacked(path, options) : readBundleAttacked(folder, options);
}

async function bundleFolder(path: string, hasSet: boolean): Promise<string | undefined> {
  if (await isPresent(join(path, bundleIndexFile))) return path;
  const inRun = join(path, runFiles.bundle);
  return hasSet && (await isPresent(join(inRun, bundleIndexFile))) ? inRun : undefined;
}

async function readNetworkAttacked(given: string, { pixelRange, set }: AttackedOptions): Promise<Attacked> {
  const path = await networkPath(given);
  const { network, weights } = await readDifferentiable(path, pixelRange);
  return {
    path,
    runFolder: given,
    ...formOf(network),
    open: async (runtime, dataset) => {
      if (!set) return openDefence({ runtime, network: straightThroughRounding(network), weights });
      const prepared = await prepareQuantization({ runtime, network, weights, dataset });
      const variants = set.map((bits) => ({
        name: `${bits}`,
        scalars: { [bitInputs.weights]: bits, [bitInputs.activations]: bits },
        probability: 1 / set.length,
      }));
      return openDefence({ runtime, network: prepared.quantized, weights: prepared.weights, variants });
    },
  };
}

/** Every file is held against its hash first. */
async function readBundleAttacked(path: string, { set }: AttackedOptions): Promise<Attacked> {
  const bundle = await openBundle(path, { threads: 1 });
  const { index } = bundle;
  await bundle.release();
  const known = index.precisions.map(({ bits }) => bits);
  const chosen = set ?? index.defence?.set ?? known;
  const foreign = chosen.find((bits) => !known.includes(bits));
  if (foreign !== undefined) {
    throw inputError("unknown_precision", "the bundle has no such precision", {
      file: path,
      expected: known.join(", "),
      received: `${foreign}`,
    });
  }
  const members = await Promise.all(
    index.precisions
      .filter(({ bits }) => chosen.includes(bits))
      .map(async ({ bits, model }) => ({
        ...(await readDifferentiable(join(path, model.file), [0, 255])),
        variants: [{ name: `${bits}`, scalars: {}, probability: 1 / chosen.length }],
      })),
  );
  return {
    path,
    runFolder: join(path, ".."),
    ...formOf(members[0]!.network),
    open: async (runtime) =>
      openDefenceOfNetworks({
        runtime,
        members: members.map((member) => ({ ...member, network: straightThroughRounding(member.network) })),
      }),
  };
}

async function readDifferentiable(path: string, imageRange: readonly [number, number]) {
  const { model } = await readNetwork(path);
  try {
    return networkOfModel(model, { imageRange });
  } catch (error) {
    throw withPlace(error, { file: path });
  }
}

type ReadNetwork = Awaited<ReturnType<typeof readDifferentiable>>["network"];

function formOf({ graph, image, classCount }: ReadNetwork): Pick<Attacked, "imageShape" | "classCount"> {
  const shape = graph.types.get(image)?.shape?.slice(1) ?? [];
  return { imageShape: shape as unknown as ImageShape, classCount };
}
