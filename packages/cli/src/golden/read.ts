import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { inputError } from "@dovetail/core";
import { goldenSets } from "./sets.js";

/** A decompressed file beyond this is no golden file. */
const SIZE_LIMIT = 256 * 2 ** 20;

/** A set of reference figures as it lies in a file. */
export interface GoldenData {
  readonly name: string;
  readonly file: string;
  readonly data: unknown;
  /** All sets of the file, by name: some refer to one another. */
  readonly siblings: Readonly<Record<string, unknown>>;
  /** Number of cases, where the file says it. */
  readonly declared?: number | undefined;
}

/**
 * The sets of a golden file, or of all `.json` and `.json.gz` files of a folder.
 *
 * @throws DovetailError `golden_json` or `golden_empty` for what cannot be read as such.
 */
export async function readGolden(path: string): Promise<GoldenData[]> {
  if (!(await stat(path)).isDirectory()) return setsOf(path, await readJson(path));
  const files = (await readdir(path)).filter((name) => /\.json(\.gz)?$/.test(name)).sort();
  if (files.length === 0) {
    throw inputError("golden_empty", "the folder holds no golden file", {
      file: path,
      expected: "*.json or *.json.gz",
    });
  }
  const sets: GoldenData[] = [];
  for (const name of files) {
    const file = join(path, name);
    sets.push(...setsOf(file, await readJson(file)));
  }
  return sets;
}

async function readJson(file: string): Promise<unknown> {
  const bytes = await readFile(file);
  try {
    const text = file.endsWith(".gz") ? await promisify(gunzip)(bytes, { maxOutputLength: SIZE_LIMIT }) : bytes;
    return JSON.parse(text.toString("utf8"));
  } catch (cause) {
    throw inputError("golden_json", "not a JSON file", {
      file,
      received: cause instanceof Error ? cause.message : String(cause),
    });
  }
}

/** A file of the collected form has an `about` beside its sets; any other file is one set, named like the file. */
function setsOf(file: string, content: unknown): GoldenData[] {
  const name = basename(file).replace(/\.json(\.gz)?$/, "");
  if (!isRecord(content) || goldenSets[name] !== undefined || !isRecord(content.about)) {
    return [{ name, file, data: content, siblings: {} }];
  }
  const counts = isRecord(content.about.sets) ? content.about.sets : {};
  return Object.entries(content)
    .filter(([key]) => key !== "about")
    .map(([key, data]) => {
      const declared = counts[key];
      return { name: key, file, data, siblings: content, ...(typeof declared === "number" && { declared }) };
    });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
