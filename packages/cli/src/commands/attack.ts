import { type AttackEntry, assessRobustness, attackNamed, attackTable } from "@dovetail/attack";
import { createRandomStream, withPlace } from "@dovetail/core";
import { createRuntime, type ProviderName } from "@dovetail/runtime";
import type { DatasetPart, ImageDataset } from "@dovetail/train";
import { type Command, InvalidArgumentError } from "commander";
import { datasetFor } from "../evaluation/dataset-for.js";
import { dataOptionHelp } from "../recipes/data-option.js";
import {
  type CommandIo,
  type CommandWatch,
  type CommonOptions,
  printResult,
  withWatch,
} from "../terminal/command-io.js";
import { readAttacked } from "./attack-defence.js";
import { robustnessLines, robustnessResult } from "./attack-result.js";
import { defineCommand, repeated, wholeNumber } from "./define.js";
import { parts, pixelRange, providerOption, seedOption, threadsOption } from "./options.js";

interface AttackOptions extends CommonOptions {
  readonly attacks?: readonly string[];
  readonly eps: number;
  readonly images: number;
  readonly set?: readonly number[];
  readonly steps?: number;
  readonly restarts?: number;
  readonly queries?: number;
  readonly checkedImages: number;
  readonly matrixSteps: number;
  readonly data?: string;
  readonly dataOption?: readonly string[];
  readonly part: DatasetPart;
  readonly pixelRange: readonly [number, number];
  readonly seed: number;
  readonly provider: ProviderName;
  readonly threads?: number;
}

const forOneNetwork = ["autoattack"] as const;
const forDraws = ["eot-pgd", "apgd-ce", "apgd-dlr", "square"] as const;

/** `dovetail attack`: how a classifier stands up to adversarial images. */
export function attackCommand(io: CommandIo): Command {
  return defineCommand("attack", {
    summary: "robust accuracy of a classifier under adversarial attacks, with checks of the attacks themselves",
    description: [
      "No pixel changes by more than --eps (maximum norm). With --set the defender draws each image's precision from that",
      "set: of a run's bundle, or else of the network quantized to each. Attacks work on the exact mean over the draw. The",
      "result has a line for each of RobustBench's rules and AutoAttack's flags, and a checklist for masked gradients.",
      `\n\nAttacks:\n${attackLines().join("\n")}`,
    ].join(" "),
    examples: [
      ["dovetail attack model.onnx --eps 1/255 --images 200", "AutoAttack on a classifier of raw pixels"],
      ["dovetail attack runs/robust --attacks pgd,apgd-ce,square --eps 8/255", "a run's network, these attacks"],
      ["dovetail attack model.onnx --set 4..16 --eps 8/255 --json", "random precision from 4 to 16 bit"],
      ["dovetail attack runs/rps/bundle --eps 4/255", "a bundle's files, drawn from as its defence says"],
      [
        "dovetail attack model.onnx --attacks fgsm --steps 10 --checked-images 0",
        "a quick look, without the checklist",
      ],
    ],
  })
    .argument("<model>", "an ONNX file that takes float32 images, channels first; a run folder; or a bundle")
    .option("--attacks <names>", `separated by commas; default: ${forOneNetwork}, with --set ${forDraws}`, attackList)
    .option("--eps <x>", "largest change of a pixel, of its range: 8/255 or 0.03", fraction, 8 / 255)
    .option("--images <n>", "images attacked, the first ones of the part", wholeNumber(1), 500)
    .option("--set <bits>", "precisions that the defender draws from, 4..16 or 4,6,8", bitSet)
    .option("--steps <n>", "steps of the gradient attacks; each one's own by default", wholeNumber(1))
    .option("--restarts <n>", "starts of the attacks that draw them; each one's own by default", wholeNumber(1))
    .option("--queries <n>", "queries of the black-box attacks; each one's own by default", wholeNumber(1))
    .option(
      "--checked-images <n>",
      "images of the checklist for masked gradients; 0: no checklist",
      wholeNumber(0),
      100,
    )
    .option("--matrix-steps <n>", "PGD steps of the transfer matrices of --set; 0: no matrices", wholeNumber(0), 20)
    .option("--data <name>", `${dataOptionHelp}; default: the run's own, else cifar10-bundled`)
    .option("--data-option <field=value>", "a field of the data set's description; may be repeated", repeated)
    .addOption(parts())
    .addOption(pixelRange())
    .addOption(seedOption().default(0))
    .addOption(providerOption())
    .addOption(threadsOption())
    .action(async (path: string, options: AttackOptions) => {
      const result = await withWatch(io, options, (watch) => attack(io, path, options, watch));
      printResult(io, options, result, () => robustnessLines(result));
    });
}

async function attack(io: CommandIo, path: string, options: AttackOptions, watch: CommandWatch) {
  const attacked = await readAttacked(path, options);
  const { part } = options;
  const dataset = await datasetFor(attacked, options, io, watch);
  const runtime = await createRuntime({ provider: options.provider, threads: options.threads });
  try {
    const defence = await attacked.open(runtime, dataset);
    const isDrawn = defence.variants.length > 1;
    const report = await assessRobustness({
      ...options,
      defence,
      examples: firstImages(dataset, part, options.images),
      watch,
      epsilon: options.eps,
      attacks: options.attacks ?? (isDrawn ? forDraws : forOneNetwork),
      random: createRandomStream(options.seed),
      testImages: part === "test" ? dataset.parts.test.count : undefined,
    });
    return { model: attacked.path, dataset: dataset.name, part, seed: options.seed, ...robustnessResult(report) };
  } finally {
    await runtime.release();
  }
}

function firstImages(dataset: ImageDataset, part: DatasetPart, wanted: number) {
  const count = Math.min(wanted, dataset.parts[part].count);
  const imageSize = dataset.imageShape.reduce((product, size) => product * size, 1);
  return {
    images: Float32Array.from(dataset.images(part).subarray(0, count * imageSize), (value) => value / 255),
    labels: Int32Array.from(dataset.labels(part).subarray(0, count)),
    ids: Int32Array.from({ length: count }, (_, index) => index),
  };
}

function attackLines(): readonly string[] {
  const entries = Object.entries(attackTable) as [string, AttackEntry][];
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, { meaning }]) => `  ${name.padEnd(width)}  ${meaning}`);
}

function attackList(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  try {
    for (const name of names) attackNamed(name);
  } catch (error) {
    throw withPlace(error, { file: `--attacks ${text}` });
  }
  return names;
}

/** `8/255` or `0.03`, above 0 and at most 1. */
function fraction(text: string): number {
  const [, numerator, denominator = "1"] = /^\s*([\d.]+)\s*(?:\/\s*([\d.]+))?\s*$/.exec(text) ?? [];
  const value = Number(numerator) / Number(denominator);
  if (value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("Expected a number above 0 and at most 1, such as 8/255 or 0.03.");
}

/** `4..16` or `4,6,8`: different precisions from 2 to 24 bit. */
function bitSet(text: string): readonly number[] {
  const range = /^\s*(\d+)\s*\.\.\s*(\d+)\s*$/.exec(text);
  const [first, last] = [Number(range?.[1]), Number(range?.[2])];
  const bits = range
    ? Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
    : text.split(",").map(Number);
  const isValid = bits.length > 0 && bits.every((count) => Number.isInteger(count) && count >= 2 && count <= 24);
  if (isValid && new Set(bits).size === bits.length) return bits;
  throw new InvalidArgumentError("Expected different precisions from 2 to 24 bit, such as 4..16 or 4,6,8.");
}
