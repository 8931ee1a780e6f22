import { dirname, join, resolve } from "node:path";
import { inputError, nearestWord } from "@dovetail/core";
import { isPresent } from "../../files/read-file.js";
import { locateBundledPack, type PlaceOptions } from "../locate.js";
import { type KnownDataset, knownDatasetTable } from "./known.js";

/** Where a known data set lies, and what of it is there. */
export interface DatasetStatus extends KnownDataset {
  /** Its folder, there or not; undefined when DOVETAIL_DATA is not set. */
  readonly place: string | undefined;
  /** Names of its files that are not there. */
  readonly missing: readonly string[];
}

/** What Dovetail knows by name, where each lies on this machine, and what is missing. */
export function knownDatasets(options: PlaceOptions = {}): Promise<DatasetStatus[]> {
  return Promise.all(knownDatasetTable.map((known) => statusOf(known, options)));
}

/** The status of one known data set. Throws the input error `unknown_dataset`. */
export async function knownDataset(name: string, options: PlaceOptions = {}): Promise<DatasetStatus> {
  const known = knownDatasetTable.find((candidate) => candidate.name === name);
  if (known) return statusOf(known, options);
  const names = knownDatasetTable.map((candidate) => candidate.name);
  const near = nearestWord(name, names);
  throw inputError("unknown_dataset", "no data set is known by this name", {
    expected: names.join(", "),
    received: `"${name}"`,
    hint: near === undefined ? undefined : `did you mean "${near}"?`,
  });
}

/** The folder of a known data set in $DOVETAIL_DATA, or undefined where that is not set. */
export function usualFolder(known: KnownDataset, options: PlaceOptions): string | undefined {
  const dataFolder = (options.environment ?? process.env).DOVETAIL_DATA;
  return dataFolder && known.folder !== undefined ? resolve(dataFolder, known.folder) : undefined;
}

async function statusOf(known: KnownDataset, options: PlaceOptions): Promise<DatasetStatus> {
  const place = known.folder === undefined ? await bundledFolder() : usualFolder(known, options);
  const missing: string[] = [];
  for (const { name } of known.files) {
    if (place === undefined || (await findKnownFile(place, name)) === undefined) missing.push(name);
  }
  return { ...known, place, missing };
}

/** The name under which a known file lies in `folder`, if at all: a gzipped one may have been unpacked. */
export async function findKnownFile(folder: string, name: string): Promise<string | undefined> {
  for (const candidate of [name, name.replace(/\.gz$/, "")]) {
    if (await isPresent(join(folder, candidate))) return candidate;
  }
  return undefined;
}

async function bundledFolder(): Promise<string | undefined> {
  return locateBundledPack().then(dirname, () => undefined);
}
