import { inputError, nearestWord } from "@dovetail/core";
import type { SystolicArray } from "../systolic/cost.js";
import type { SystolicDataflow } from "../systolic/dataflow.js";

// SCALE-Sim's configuration (v2 and v3): an INI file as Python's configparser reads it.

/** What a SCALE-Sim configuration says, in its own units. Buffers in kilobytes, bandwidths in words a cycle. */
export interface ScaleSimConfig {
  readonly runName: string;
  readonly array: SystolicArray;
  readonly inputSramKilobytes: number;
  readonly weightSramKilobytes: number;
  readonly outputSramKilobytes: number;
  readonly inputOffset: number;
  readonly weightOffset: number;
  readonly outputOffset: number;
  readonly bandwidths: readonly number[];
  readonly memoryBanks: number;
  readonly readRequestBuffer: number;
  readonly writeRequestBuffer: number;
  /** `CALC`: the tool works out the bandwidth that needs no stalls. `USER`: it stalls at `bandwidths`. */
  readonly interfaceBandwidth: "CALC" | "USER";
  /** True when layers are pruned to N of M weights. */
  readonly isSparse: boolean;
}

export interface ReadScaleSimOptions {
  /** Name for messages. */
  readonly file?: string | undefined;
}

const TEXT_LIMIT = 2 ** 20;

/** Dataflows by the tool's names. */
const dataflows: Readonly<Record<string, SystolicDataflow>> = {
  ws: "weightStationary",
  is: "inputStationary",
  os: "outputStationary",
};

/** Where a value stands. */
interface Entry {
  readonly value: string;
  readonly line: number;
  readonly column: number;
}

interface Document {
  readonly file: string | undefined;
  /** Sections by name; keys in lower case. */
  readonly sections: ReadonlyMap<string, ReadonlyMap<string, Entry>>;
}

/** Sections and keys of the tool's versions 2 and 3. What stands only here is read by it and means nothing to us. */
const knownKeys: Readonly<Record<string, readonly string[]>> = {
  general: ["run_name"],
  architecture_presets: [
    "ArrayHeight",
    "ArrayWidth",
    "IfmapSramSzkB",
    "FilterSramSzkB",
    "OfmapSramSzkB",
    "IfmapOffset",
    "FilterOffset",
    "OfmapOffset",
    "Bandwidth",
    "Dataflow",
    "MemoryBanks",
    "OnChipMemoryBanks",
    "OnChipMemoryBankPorts",
    "ReadRequestBuffer",
    "WriteRequestBuffer",
  ],
  layout: [
    "IfmapCustomLayout",
    "IfmapSRAMBankBandwidth",
    "IfmapSRAMBankNum",
    "IfmapSRAMBankPort",
    "FilterCustomLayout",
    "FilterSRAMBankBandwidth",
    "FilterSRAMBankNum",
    "FilterSRAMBankPort",
  ],
  sparsity: ["SparsitySupport", "SparseRep", "OptimizedMapping", "BlockSize", "RandomNumberGeneratorSeed"],
  run_presets: ["InterfaceBandwidth", "UseRamulatorTrace"],
  network_presets: ["TopologyCsvLoc"],
};

/**
 * A SCALE-Sim configuration (`.cfg`). Needed are the array's height and width and the dataflow; the rest has the tool's
 * own defaults.
 *
 * @throws DovetailError `scalesim_config` with file, line and field for anything else.
 */
export function readScaleSimConfig(text: string, { file }: ReadScaleSimOptions = {}): ScaleSimConfig {
  const document = parseIni(text, file);
  const whole = (section: string, key: string, fallback?: number, least = 1): number =>
    wholeNumber(document, section, key, fallback, least);
  const preset = (key: string, fallback?: number, least = 1): number =>
    whole("architecture_presets", key, fallback, least);
  return {
    runName: entryOf(document, "general", "run_name")?.value ?? "scale_run",
    array: {
      rows: preset("ArrayHeight"),
      columns: preset("ArrayWidth"),
      dataflow: dataflows[choice(document, "architecture_presets", "Dataflow", Object.keys(dataflows))]!,
    },
    inputSramKilobytes: preset("IfmapSramSzkB", 256),
    weightSramKilobytes: preset("FilterSramSzkB", 256),
    outputSramKilobytes: preset("OfmapSramSzkB", 128),
    inputOffset: preset("IfmapOffset", 0, 0),
    weightOffset: preset("FilterOffset", 10_000_000, 0),
    outputOffset: preset("OfmapOffset", 20_000_000, 0),
    bandwidths: bandwidthsOf(document),
    memoryBanks: preset("MemoryBanks", 1),
    readRequestBuffer: preset("ReadRequestBuffer", 60),
    writeRequestBuffer: preset("WriteRequestBuffer", 60),
    interfaceBandwidth: choice(document, "run_presets", "InterfaceBandwidth", ["CALC", "USER"], "CALC") as
      | "CALC"
      | "USER",
    isSparse: choice(document, "sparsity", "SparsitySupport", ["true", "false"], "false") === "true",
  };
}

/** The text of a configuration that SCALE-Sim v3 reads: all sections that it asks for, its own defaults where we have none. */
export function writeScaleSimConfig(config: ScaleSimConfig): string {
  const { array } = config;
  const dataflow = Object.keys(dataflows).find((name) => dataflows[name] === array.dataflow)!;
  const sections: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
    general: { run_name: config.runName },
    architecture_presets: {
      ArrayHeight: array.rows,
      ArrayWidth: array.columns,
      IfmapSramSzkB: config.inputSramKilobytes,
      FilterSramSzkB: config.weightSramKilobytes,
      OfmapSramSzkB: config.outputSramKilobytes,
      IfmapOffset: config.inputOffset,
      FilterOffset: config.weightOffset,
      OfmapOffset: config.outputOffset,
      Bandwidth: config.bandwidths.join(","),
      Dataflow: dataflow,
      MemoryBanks: config.memoryBanks,
      ReadRequestBuffer: config.readRequestBuffer,
      WriteRequestBuffer: config.writeRequestBuffer,
    },
    layout: {
      IfmapCustomLayout: "False",
      IfmapSRAMBankBandwidth: 10,
      IfmapSRAMBankNum: 10,
      IfmapSRAMBankPort: 2,
      FilterCustomLayout: "False",
      FilterSRAMBankBandwidth: 10,
      FilterSRAMBankNum: 10,
      FilterSRAMBankPort: 2,
    },
    sparsity: {
      SparsitySupport: String(config.isSparse),
      SparseRep: "ellpack_block",
      OptimizedMapping: "false",
      BlockSize: Math.min(8, array.rows),
      RandomNumberGeneratorSeed: 40,
    },
    run_presets: { InterfaceBandwidth: config.interfaceBandwidth, UseRamulatorTrace: "False" },
  };
  return Object.entries(sections)
    .map(([section, entries]) => {
      const lines = Object.entries(entries).map(([key, value]) => `${key} = ${value}`);
      return [`[${section}]`, ...lines, ""].join("\n");
    })
    .join("\n");
}

function parseIni(text: string, file: string | undefined): Document {
  if (text.length > TEXT_LIMIT) {
    throw inputError("scalesim_config", "too long for a configuration", {
      file,
      expected: `at most ${TEXT_LIMIT} characters`,
      received: String(text.length),
    });
  }
  const sections = new Map<string, Map<string, Entry>>();
  let section: string | undefined;
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const place = { file, line: index + 1, column: raw.length - raw.trimStart().length + 1 };
    const content = (index === 0 ? raw.replace(/^\uFEFF/, "") : raw).trim();
    if (content === "" || content.startsWith("#") || content.startsWith(";")) continue;
    const header = /^\[([^\]]*)\]$/.exec(content);
    if (header) {
      section = known(header[1]!, Object.keys(knownKeys), "section", place);
      if (!sections.has(section)) sections.set(section, new Map());
      continue;
    }
    const separator = content.search(/[=:]/);
    if (separator < 1 || section === undefined) {
      throw inputError("scalesim_config", "not a line of a configuration", {
        ...place,
        expected:
          section === undefined ? "a section such as [architecture_presets] first" : "KEY = VALUE or KEY: VALUE",
        received: content.slice(0, 60),
      });
    }
    const key = known(content.slice(0, separator).trim(), knownKeys[section]!, "field", place, section);
    const entries = sections.get(section)!;
    if (entries.has(key)) throw inputError("scalesim_config", "given twice", { ...place, path: [section, key] });
    entries.set(key, { value: content.slice(separator + 1).trim(), line: place.line, column: place.column });
  }
  return { file, sections };
}

/** The tool's spelling of a name; keys are equal in upper and lower case, sections are not. */
function known(
  name: string,
  names: readonly string[],
  what: "section" | "field",
  place: { file: string | undefined; line: number; column: number },
  section?: string,
): string {
  const found = names.find((each) => (what === "field" ? each.toLowerCase() === name.toLowerCase() : each === name));
  if (found !== undefined) return found;
  const near = nearestWord(name, names);
  throw inputError("scalesim_config", `unknown ${what}`, {
    ...place,
    path: section === undefined ? undefined : [section],
    expected: `one of ${names.join(", ")}`,
    received: name.slice(0, 60),
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

function entryOf({ sections }: Document, section: string, key: string): Entry | undefined {
  return sections.get(section)?.get(key);
}

function wholeNumber(
  document: Document,
  section: string,
  key: string,
  fallback: number | undefined,
  least: number,
): number {
  const entry = entryOf(document, section, key);
  if (entry === undefined && fallback !== undefined) return fallback;
  const value = entry !== undefined && /^\d{1,15}$/.test(entry.value) ? Number(entry.value) : Number.NaN;
  if (value >= least) return value;
  throw fieldError(document, section, key, `a whole number, at least ${least}`);
}

function choice(
  document: Document,
  section: string,
  key: string,
  options: readonly string[],
  fallback?: string,
): string {
  const entry = entryOf(document, section, key);
  if (entry === undefined && fallback !== undefined) return fallback;
  const found = options.find((option) => option.toLowerCase() === entry?.value.toLowerCase());
  if (found !== undefined) return found;
  throw fieldError(document, section, key, `one of ${options.join(", ")}`);
}

function bandwidthsOf(document: Document): number[] {
  const entry = entryOf(document, "architecture_presets", "Bandwidth");
  const parts = (entry?.value ?? "10").split(",").map((part) => part.trim());
  if (parts.every((part) => /^\d{1,15}$/.test(part) && Number(part) > 0)) return parts.map(Number);
  throw fieldError(
    document,
    "architecture_presets",
    "Bandwidth",
    "whole numbers of words a cycle, with commas between",
  );
}

function fieldError(document: Document, section: string, key: string, expected: string): Error {
  const entry = entryOf(document, section, key);
  return inputError("scalesim_config", entry === undefined ? "missing field" : "wrong value", {
    file: document.file,
    line: entry?.line,
    column: entry?.column,
    path: [section, key],
    expected,
    received: entry?.value.slice(0, 60),
  });
}
