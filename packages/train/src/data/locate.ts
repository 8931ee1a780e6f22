import { isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inputError } from "@dovetail/core";
import { isPresent } from "../files/read-file.js";

/** Where relative paths start, and where the environment's variables come from. */
export interface PlaceOptions {
  /** Default: the current folder. */
  readonly baseFolder?: string | undefined;
  /** Default: the process's own. Only DOVETAIL_DATA, a folder that holds data sets, is looked at. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

/**
 * The folder or file of a data set: `path` from the base folder, else in $DOVETAIL_DATA; without a path,
 * `usualName` in $DOVETAIL_DATA. Throws the input error `dataset_missing`, which lists where it was looked for.
 */
export async function locateDataset(
  path: string | undefined,
  usualName: string,
  options: PlaceOptions,
): Promise<string> {
  const tried = candidatePlaces(path, usualName, options);
  for (const candidate of tried) {
    if (await isPresent(candidate)) return candidate;
  }
  throw inputError("dataset_missing", `data set not found${path === undefined ? ` (${usualName})` : ""}`, {
    file: path,
    expected: tried.length === 0 ? "a path, or the environment variable DOVETAIL_DATA" : `one of ${tried.join(", ")}`,
    hint: "`dovetail data` tells what is known, where it lies and where to get it",
  });
}

function candidatePlaces(path: string | undefined, usualName: string, options: PlaceOptions): string[] {
  const dataFolder = (options.environment ?? process.env).DOVETAIL_DATA;
  const name = path ?? usualName;
  const places: string[] = [];
  if (path !== undefined) places.push(resolve(options.baseFolder ?? ".", path));
  if (dataFolder && !isAbsolute(name)) places.push(resolve(dataFolder, name));
  return places;
}

/**
 * The places of the bundled CIFAR-10 pack: in the installed package's own `data` folder, or at the root of the
 * repository. Both are relative to this module, which lies at the same depth in `src` and in `dist`.
 */
export async function locateBundledPack(): Promise<string> {
  const places = ["../../data/cifar10.dvpack", "../../../../data/cifar10.dvpack"].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  for (const place of places) {
    if (await isPresent(place)) return place;
  }
  throw inputError("dataset_missing", "the bundled images are missing", { expected: `one of ${places.join(", ")}` });
}
