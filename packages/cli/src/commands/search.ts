import { inputError, withPlace } from "@dovetail/core";
import type { ProviderName } from "@dovetail/runtime";
import type { Command } from "commander";
import { readNetwork } from "../files/read-network.js";
import { carryOut } from "../jobs/carry-out.js";
import { loadRecipe, printRecipe } from "../recipes/read-recipe.js";
import { runFiles } from "../runs/layout.js";
import { beginRun, type Run } from "../runs/run.js";
import { type CommandIo, type CommonOptions, withWatch } from "../terminal/command-io.js";
import { currentVersions } from "../terminal/versions.js";
import { defineCommand, repeated } from "./define.js";
import { providerOption, runFolderOption, seedOption, threadsOption } from "./options.js";
import { recordedCommand } from "./recorded-command.js";
import { printRun } from "./run-summary.js";

interface SearchOptions extends CommonOptions {
  readonly network?: string;
  readonly seed?: number;
  readonly set?: readonly string[];
  readonly runFolder?: string;
  readonly provider: ProviderName;
  readonly threads?: number;
}

/** `dovetail search`: the main job. */
export function searchCommand(io: CommandIo): Command {
  return defineCommand("search", {
    summary: "find a network and the accelerator that runs it; with --network, the accelerator alone",
    description:
      "The result lies in one run folder: the trained network as ONNX, the accelerator, a mapping for every layer, " +
      "figures and a report. An interrupted run goes on with `dovetail run resume FOLDER`.",
    examples: [
      ["dovetail search", "the quickstart: bundled images, an ASIC, a few minutes"],
      ["dovetail search my-recipe.yaml --seed 1", "another recipe, another seed"],
      ["dovetail search tiny --set search.costTarget=0.3", "a shipped recipe with one field changed"],
      ["dovetail search fpga-cifar10 --network model.onnx", "accelerator and mapping for your own network"],
    ],
  })
    .argument("[recipe]", "a recipe's file, or the name of one that comes with Dovetail (default: quickstart)")
    .option("--network <file>", "your own image classifier in ONNX, for raw pixels 0–255: nothing is trained")
    .addOption(seedOption())
    .option("--set <field=value>", "change a field of the recipe; may be repeated", repeated)
    .addOption(runFolderOption())
    .addOption(providerOption())
    .addOption(threadsOption())
    .action(async (name: string | undefined, options: SearchOptions, command: Command) => {
      const run = await begin(name, options, command);
      await withWatch(io, options, (watch) => carryOut(run, watch, io.environment));
      await printRun(io, options, run.folder);
    });
}

async function begin(name: string | undefined, options: SearchOptions, command: Command): Promise<Run> {
  const { recipe, baseFolder } = await loadRecipe(name, options);
  const files = new Map<string, string | Uint8Array>([[runFiles.recipe, printRecipe(recipe)]]);
  if (options.network !== undefined) files.set(runFiles.input, (await readUserNetwork(options.network)).bytes);
  const { network, runFolder: folder, provider, threads } = options;
  return beginRun({
    folder,
    name: `${recipe.name}-seed${recipe.seed}`,
    files,
    record: {
      format: "dovetail run",
      version: 1,
      kind: network === undefined ? "search" : "design",
      command: recordedCommand(command),
      versions: await currentVersions(),
      baseFolder,
      provider,
      ...(threads !== undefined && { threads }),
    },
  });
}

/** The user's network; one without a graph to run is refused before anything is begun. */
async function readUserNetwork(path: string): ReturnType<typeof readNetwork> {
  const network = await readNetwork(path);
  if (network.model.graph.nodes.length > 0) return network;
  throw withPlace(inputError("empty_network", "the network has no nodes"), { file: path });
}
