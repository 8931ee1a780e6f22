import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inputError, nearestWord } from "@dovetail/core";
import { isPresent } from "@dovetail/train";

/** A file and what it is called in messages and records. */
export interface ShippedPlace {
  readonly path: string;
  /** As the user wrote it, or `FOLDER/NAME.yaml` of what comes with Dovetail. */
  readonly shown: string;
}

/** Documents that come with Dovetail, in a folder of the repository or of the installed package. */
export interface ShippedFolder {
  readonly folder: "recipes" | "accelerators";
  /** Code and message of the error when there is no such document. */
  readonly code: string;
  readonly message: string;
}

/**
 * Finds a document: a file, or the name of one that comes with Dovetail (`tiny`, `tiny.yaml`, `recipes/tiny.yaml`).
 * Throws the folder's input error, with the names that there are.
 */
export async function locateShipped(shipped: ShippedFolder, name: string): Promise<ShippedPlace> {
  if (await isPresent(name)) return { path: name, shown: name };
  const { folder, code, message } = shipped;
  const names = await shippedNames(folder);
  const wanted = new RegExp(`^(?:${folder}/)?([^/]+?)(?:\\.yaml)?$`).exec(name)?.[1];
  if (wanted !== undefined && names.includes(wanted)) {
    const file = `${wanted}.yaml`;
    return { path: join((await pathOf(folder))!, file), shown: `${folder}/${file}` };
  }
  const near = wanted === undefined ? undefined : nearestWord(wanted, names);
  throw inputError(code, message, {
    file: name,
    expected: `a file, or one of ${names.join(", ")}`,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

/** Names of the documents that come with Dovetail, in alphabetical order. */
export async function shippedNames(folder: ShippedFolder["folder"]): Promise<string[]> {
  const path = await pathOf(folder);
  const files = path === undefined ? [] : await readdir(path);
  return files
    .filter((file) => file.endsWith(".yaml"))
    .map((file) => basename(file, ".yaml"))
    .sort();
}

/** In the installed package's own folder, or at the root of the repository: relative to this module. */
async function pathOf(folder: ShippedFolder["folder"]): Promise<string | undefined> {
  for (const place of [`../../${folder}/`, `../../../../${folder}/`]) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (await isPresent(path)) return path;
  }
  return undefined;
}
