// The small runtime of a bundle: all precisions are opened once; switching changes which one answers, and nothing else.
import { join } from "node:path";
import { inputError, type RandomStream, withPlace } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { type Architecture, type Mapping, readArchitecture } from "@dovetail/hardware";
import { type OpenModel, type OpenModelOptions, openModel } from "@dovetail/runtime";
import { digestOfBytes, readWholeFile } from "@dovetail/train";
import {
  type BundleContent,
  type BundleFile,
  type BundlePrecision,
  bundleIndexFile,
  readBundleIndex,
  readBundleMappings,
} from "./index-file.js";

export interface OpenBundleOptions extends OpenModelOptions {
  /**
   * Where the precision of a batch is drawn from, for a set of several. Whoever knows the draws faces a network of one
   * precision: in use the seed must be secret, and drawn anew at each start.
   */
  readonly random?: RandomStream | undefined;
}

/** A bundle, ready to predict. */
export interface Bundle {
  readonly index: BundleContent;
  /** The precisions that predictions are drawn from; of one, all predictions are made at it. */
  readonly precisionSet: readonly number[];
  /** From now on predictions are made at this precision. No file is read and no weight touched. Throws when it is none. */
  setPrecision(bits: number): void;
  /** From now on each batch is predicted at a precision drawn from this set. Throws unless there is a `random` stream. */
  setPrecisionSet(set: readonly number[]): void;
  /**
   * The most accurate precision (of equals the cheapest) that takes at most this energy an image, in pJ; `setPrecision`
   * takes it. Throws where none does, and where the bundle has no costs.
   */
  precisionWithin(energyPj: number): number;
  /** Energy of an image under the present set: the mean of its precisions, in pJ. Undefined where there are no costs. */
  expectedEnergyPj(): number | undefined;
  /** How each layer runs at a precision; undefined where the bundle has no mappings. */
  mappings(bits: number): readonly { readonly name: string; readonly mapping: Mapping }[] | undefined;
  readonly architecture: Architecture | undefined;
  /** Images [N, channels, height, width], raw pixels → logits, N × classes. */
  predict(images: Tensor): Promise<Float32Array>;
  release(): Promise<void>;
}

interface OpenPrecision {
  readonly entry: BundlePrecision;
  readonly model: OpenModel;
  readonly mappings: ReturnType<Bundle["mappings"]>;
}

const maximumIndexBytes = 2 ** 24;
const maximumFileBytes = 2 ** 31 - 1;

/**
 * Opens a bundle's folder. Every file is held against its hash. Throws the input errors `bundle_corrupt`, `file_missing`,
 * `json_syntax`, those of the documents inside, and `model_refused`.
 */
export async function openBundle(folder: string, options: OpenBundleOptions = {}): Promise<Bundle> {
  const path = join(folder, bundleIndexFile);
  const index = readBundleIndex(textOf(await readWholeFile(path, maximumIndexBytes)), path);
  const opened = new Map<number, OpenPrecision>();
  const release = async (): Promise<void> => {
    for (const { model } of opened.values()) await model.release();
    opened.clear();
  };
  try {
    const architecture = await readAccelerator(folder, index);
    for (const entry of index.precisions) opened.set(entry.bits, await openPrecision(folder, entry, options));
    return bundleOf({ index, opened, architecture, release, random: options.random });
  } catch (error) {
    await release();
    throw error;
  }
}

async function openPrecision(
  folder: string,
  entry: BundlePrecision,
  { provider, threads }: OpenModelOptions,
): Promise<OpenPrecision> {
  const { mappings } = entry;
  const layers =
    mappings && readBundleMappings(textOf(await readChecked(folder, mappings)), join(folder, mappings.file));
  const bytes = await readChecked(folder, entry.model);
  try {
    return { entry, model: await openModel(bytes, { provider, threads }), mappings: layers?.layers };
  } catch (error) {
    throw withPlace(error, { file: join(folder, entry.model.file) });
  }
}

async function readAccelerator(folder: string, { accelerator }: BundleContent): Promise<Architecture | undefined> {
  if (!accelerator) return undefined;
  return readArchitecture(textOf(await readChecked(folder, accelerator)), { file: join(folder, accelerator.file) });
}

async function readChecked(folder: string, { file, sha256 }: BundleFile): Promise<Uint8Array> {
  const path = join(folder, file);
  const bytes = await readWholeFile(path, maximumFileBytes);
  const received = digestOfBytes(bytes);
  if (received === sha256) return bytes;
  throw inputError("bundle_corrupt", "the file has changed since the bundle was written", {
    file: path,
    expected: `sha256 ${sha256}`,
    received,
  });
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

interface BundleParts {
  readonly index: BundleContent;
  readonly opened: ReadonlyMap<number, OpenPrecision>;
  readonly architecture: Architecture | undefined;
  readonly random: RandomStream | undefined;
  release(): Promise<void>;
}

function bundleOf({ index, opened, architecture, random, release }: BundleParts): Bundle {
  const highest = index.precisions.at(-1)!;
  let set: readonly number[] = index.defence && random ? index.defence.set : [highest.bits];
  const at = (bits: number): OpenPrecision => {
    const found = opened.get(bits);
    if (found) return found;
    throw inputError("unknown_precision", `precision of bundle "${index.name}"`, {
      expected: `one of ${[...opened.keys()].join(", ")}`,
      received: `${bits}`,
    });
  };
  return {
    index,
    architecture,
    get precisionSet() {
      return set;
    },
    setPrecision: (bits) => {
      set = [at(bits).entry.bits];
    },
    setPrecisionSet: (chosen) => {
      requireDrawable(chosen, random);
      set = chosen.map((bits) => at(bits).entry.bits);
    },
    precisionWithin: (energyPj) => mostAccurateWithin(index, energyPj),
    expectedEnergyPj: () => {
      const energies = set.map((bits) => at(bits).entry.cost?.energyPj);
      if (energies.some((energy) => energy === undefined)) return undefined;
      return (energies as number[]).reduce((sum, energy) => sum + energy, 0) / set.length;
    },
    mappings: (bits) => at(bits).mappings,
    predict: async (images) => {
      const { model } = at(set.length === 1 ? set[0]! : set[random!.integer(set.length)]!);
      const outputs = await model.run({ [model.inputNames[0]!]: images });
      return outputs[model.outputNames[0]!]!.data as Float32Array;
    },
    release,
  };
}

function requireDrawable(set: readonly number[], random: RandomStream | undefined): void {
  const isSet = set.length > 0 && new Set(set).size === set.length;
  if (isSet && (set.length === 1 || random)) return;
  throw inputError("precision_set", "the set of precisions to draw from", {
    expected: isSet
      ? "a stream of random numbers, given to openBundle, to draw with"
      : "different bit-widths, at least one",
    received: isSet ? "none" : `[${set.join(", ")}]`,
  });
}

function mostAccurateWithin({ name, precisions }: BundleContent, energyPj: number): number {
  const costed = precisions.filter(({ cost }) => cost !== undefined);
  const affordable = costed.filter(({ cost }) => cost!.energyPj <= energyPj);
  const [best] = affordable.toSorted(
    (a, b) => b.accuracyFraction - a.accuracyFraction || a.cost!.energyPj - b.cost!.energyPj,
  );
  if (best) return best.bits;
  const energies = costed.map(({ bits, cost }) => `${cost!.energyPj} pJ at ${bits} bit`);
  throw inputError("energy_budget", `no precision of bundle "${name}" is within the budget`, {
    expected: energies.length > 0 ? `at least the cheapest of ${energies.join(", ")}` : "a bundle with costs",
    received: `${energyPj} pJ`,
  });
}
