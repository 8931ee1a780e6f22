import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { inputError, nearestWord } from "@dovetail/core";
import { createRuntime, type ProviderName } from "@dovetail/runtime";
import { type Card, cardSchema, type Reproduction, reproductions, type Scale, scaleSchema } from "@dovetail/systems";
import { type DatasetDescriptionInput, type ImageDataset, loadDataset, writeFileAtomically } from "@dovetail/train";
import { type Command, Option } from "commander";
import { cardFiles, openReproduction, type PieceResult, type ReproductionFolder } from "../reproductions/folder.js";
import { machineName, sourceCommit } from "../reproductions/origin.js";
import { heldClaims, renderCard } from "../reproductions/render.js";
import { runPieces } from "../reproductions/run-pieces.js";
import { cacheFolder } from "../terminal/cache-folder.js";
import {
  type CommandIo,
  type CommandWatch,
  type CommonOptions,
  printResult,
  withWatch,
} from "../terminal/command-io.js";
import { Interrupted } from "../terminal/exit-codes.js";
import { quoteForShell } from "../terminal/quote.js";
import { formatTable } from "../terminal/table.js";
import { defineCommand } from "./define.js";
import { providerOption, runFolderOption, threadsOption } from "./options.js";

interface ReproduceOptions extends CommonOptions {
  readonly scale: Scale;
  readonly resume: boolean;
  readonly runFolder?: string;
  readonly cards?: string;
  readonly provider: ProviderName;
  readonly threads?: number;
}

/** `dovetail reproduce`: a published system's central comparison, and its reproduction card. */
export function reproduceCommand(io: CommandIo): Command {
  return defineCommand("reproduce", {
    summary: "run a published system's central comparison and write its reproduction card",
    description: [
      "The work is done in pieces; the result of each is stored in the run folder as soon as it is there, so that an",
      "interrupted run goes on with --resume. Several processes, also on machines that share the folder, may work on one",
      "reproduction: the first begins it, the others join with --resume, and each takes pieces that no other one is at.",
      `\n\n${describeAll()}`,
    ].join(" "),
    examples: [
      ["dovetail reproduce fractrain", "the quick form, on bundled images"],
      ["dovetail reproduce fractrain --scale full", "the form whose figures stand in the documentation"],
      ["dovetail reproduce fractrain --scale full --resume", "go on after an interruption, or beside another process"],
    ],
  })
    .argument("<system>", `one of ${Object.keys(reproductions).join(", ")}`)
    .addOption(new Option("--scale <scale>", "how much is run").choices(scaleSchema.options).default("quick"))
    .option("--resume", "go on with what lies in the run folder", false)
    .option("--cards <folder>", "write SYSTEM.json and SYSTEM.md there too, e.g. docs/reproductions")
    .addOption(runFolderOption())
    .addOption(providerOption())
    .addOption(threadsOption())
    .action(async (system: string, options: ReproduceOptions) => {
      const reproduction = reproductionOf(system);
      const path = options.runFolder ?? join("runs", `reproduce-${system}-${options.scale}`);
      const folder = await openReproduction({ path, system, scale: options.scale, resume: options.resume });
      const card = await withWatch(io, options, (watch) => carryOut(io, reproduction, options, folder, watch));
      printResult(io, options, { folder: path, card }, () => summaryOf(card, path));
    });
}

function describeAll(): string {
  return Object.values(reproductions)
    .flatMap(({ system, scales }) =>
      Object.entries(scales).map(([scale, { summary }]) => `${system}, ${scale}: ${summary}`),
    )
    .join("\n\n");
}

function reproductionOf(system: string): Reproduction {
  if (Object.hasOwn(reproductions, system)) return reproductions[system]!;
  const names = Object.keys(reproductions);
  const near = nearestWord(system, names);
  throw inputError("unknown_system", "no such system to reproduce", {
    expected: `one of ${names.join(", ")}`,
    received: system,
    hint: near === undefined ? undefined : `did you mean ${near}?`,
  });
}

async function carryOut(
  io: CommandIo,
  reproduction: Reproduction,
  options: ReproduceOptions,
  folder: ReproductionFolder,
  watch: CommandWatch,
): Promise<Card> {
  const { scale, provider, threads } = options;
  const goOn = `dovetail reproduce ${reproduction.system} --scale ${scale} --run-folder ${quoteForShell(folder.path)} --resume`;
  const commit = await sourceCommit();
  const runtime = await createRuntime({ provider, threads });
  try {
    const results = await runPieces({
      system: reproduction.system,
      pieces: reproduction.pieces(scale),
      folder,
      runtime,
      loadDataset: datasetsOnce(io, watch),
      commit,
      watch,
    });
    const card = cardOf(reproduction, scale, results);
    await write(card, folder, options.cards);
    return card;
  } catch (error) {
    if (watch.signal.aborted) throw new Interrupted(`what is done is kept; go on with: ${goOn}`);
    watch.log.warn(`the reproduction is not done; what is done is kept; go on with: ${goOn}`);
    throw error;
  } finally {
    await runtime.release();
  }
}

/** Loads each data set once. */
function datasetsOnce(io: CommandIo, watch: CommandWatch): (d: DatasetDescriptionInput) => Promise<ImageDataset> {
  const loaded = new Map<string, Promise<ImageDataset>>();
  const place = { baseFolder: process.cwd(), environment: io.environment, cacheFolder: cacheFolder(io.environment) };
  return (description) => {
    const key = JSON.stringify(description);
    const dataset = loaded.get(key) ?? loadDataset(description, { ...place, signal: watch.signal });
    loaded.set(key, dataset);
    return dataset;
  };
}

function cardOf(reproduction: Reproduction, scale: Scale, results: ReadonlyMap<string, PieceResult>): Card {
  const { system, title, scales } = reproduction;
  const plain = new Map([...results].map(([name, { result }]) => [name, result]));
  return cardSchema.parse({
    system,
    title,
    scale,
    date: new Date().toISOString().slice(0, 10),
    commit: [...new Set([...results.values()].map(({ commit }) => commit))].join(", "),
    command: `dovetail reproduce ${system} --scale ${scale}`,
    seeds: scales[scale].seeds,
    machine: machineName(),
    ...reproduction.conclude(scale, plain),
  });
}

async function write(card: Card, folder: ReproductionFolder, cards: string | undefined): Promise<void> {
  const json = `${JSON.stringify(card, null, 2)}\n`;
  const page = renderCard(card);
  await folder.write(cardFiles.json, json);
  await folder.write(cardFiles.markdown, page);
  if (cards === undefined) return;
  await mkdir(cards, { recursive: true });
  await writeFileAtomically(join(cards, `${card.system}.json`), json);
  await writeFileAtomically(join(cards, `${card.system}.md`), page);
}

function summaryOf(card: Card, path: string): string[] {
  const { held, total } = heldClaims(card);
  const rows = card.claims.map(({ text, claimed, ours, spread, unit, held: isHeld }) => [
    isHeld ? "held" : "NOT held",
    `${ours}${spread === null ? "" : ` ± ${spread}`} ${unit}`,
    `${claimed} ${unit}`,
    text,
  ]);
  return [
    ...formatTable(["", "ours", "claimed", "claim"], rows),
    "",
    `${held} of ${total} claims held; the card: ${join(path, cardFiles.markdown)}`,
  ];
}
