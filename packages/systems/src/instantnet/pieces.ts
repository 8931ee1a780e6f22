// The trainings, searches and measurements of InstantNet's reproduction, a piece each.
import { createRandomStream } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { countMacs, initializeParameters, type Network } from "@dovetail/models";
import { type SwitchableNetwork, spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import type { ImageDataset } from "@dovetail/train";
import { z } from "zod";
import type { Piece, PieceContext } from "../reproduction/reproduction.js";
import { type DeploymentFigures, deploymentFigures } from "./deployment.js";
import { type Experiment, networkFor, spaceFor } from "./experiment.js";
import { fbnetOf } from "./fbnet-space.js";
import type { DistillationRule } from "./passes.js";
import { isFixed, searchNetwork } from "./sp-nas.js";
import { accuracyWithSharedRanges, logitDistance, noiseGrowth } from "./switching-facts.js";
import { evaluatePrecisions, trainSwitchable } from "./train-switchable.js";

export const rules: readonly DistillationRule[] = ["cascade", "highest", "joint"];
/** Those with teachers. */
export const distillingRules = ["cascade", "highest"] as const;
const publishedWeight = 1;

/** Accuracy at each precision, by its bits. */
export const trainingSchema = z.object({
  accuracies: z.record(z.string(), z.number()),
  steps: z.number(),
  trainingMacs: z.number(),
});
export type TrainingFigures = z.output<typeof trainingSchema>;

export const factsSchema = z.object({
  noiseLayer: z.string(),
  noiseErrors: z.array(z.number()),
  noisePerBit: z.number(),
  distanceToNext: z.number(),
  distanceToHighest: z.number(),
  ownRanges: z.number(),
  sharedRanges: z.number(),
});

export const searchSchema = z.object({
  operators: z.array(z.string()),
  choices: z.array(z.number()),
  macs: z.number(),
});

export const pieceName = {
  rule: (rule: DistillationRule, seed: number) => `train-${rule}-seed${seed}`,
  published: (rule: (typeof distillingRules)[number]) => `train-${rule}-published`,
  independent: (bits: number, seed: number) => `train-independent-${bits}-seed${seed}`,
  facts: "facts",
  deployment: "deployment",
  search: "search",
  found: "train-found",
  foundDeployment: "deployment-found",
} as const;

/** An epoch of the search takes about as long as this many of one precision's training. */
const searchWork = 14;

export function piecesOf(experiment: Experiment): readonly Piece[] {
  const { seeds, bitWidths, epochs } = experiment;
  const count = bitWidths.length;
  const trainings = seeds.flatMap((seed) => [
    ...rules.map(
      (rule): Piece => ({
        name: pieceName.rule(rule, seed),
        work: epochs * count,
        run: (context) => trainByRule(experiment, rule, seed, context),
      }),
    ),
    ...bitWidths.map(
      (bits): Piece => ({
        name: pieceName.independent(bits, seed),
        work: epochs,
        run: (context) => trainAlone(experiment, bits, seed, context),
      }),
    ),
  ]);
  const published = distillingRules.map(
    (rule): Piece => ({
      name: pieceName.published(rule),
      work: epochs * count,
      run: async (context) => {
        const subject = await subjectOf(experiment, context);
        const run = { rule, seed: seeds[0]!, distillationWeight: publishedWeight };
        return (await trainSubject(experiment, subject, run, context)).figures;
      },
    }),
  );
  return [
    ...trainings,
    ...published,
    { name: pieceName.facts, work: 1, run: (context) => facts(experiment, context) },
    { name: pieceName.deployment, work: count, run: (context) => deployment(experiment, context) },
    {
      name: pieceName.search,
      work: experiment.search.epochs * searchWork,
      run: (context) => search(experiment, context),
    },
    { name: pieceName.found, work: epochs * count, run: (context) => trainFound(experiment, context) },
    { name: pieceName.foundDeployment, work: count, run: (context) => deploymentOfFound(experiment, context) },
  ];
}

interface Subject {
  readonly dataset: ImageDataset;
  readonly base: Network;
  readonly switchable: SwitchableNetwork;
}

async function subjectOf(
  experiment: Experiment,
  context: PieceContext,
  bitWidths: readonly number[] = experiment.bitWidths,
): Promise<Subject> {
  const dataset = await context.dataset(experiment.data);
  const base = networkFor(experiment, dataset);
  return { dataset, base, switchable: switchableNetwork(base, { bitWidths }) };
}

async function trainByRule(
  experiment: Experiment,
  rule: DistillationRule,
  seed: number,
  context: PieceContext,
): Promise<TrainingFigures> {
  const subject = await subjectOf(experiment, context);
  const { figures, weights } = await trainSubject(experiment, subject, { rule, seed }, context);
  if (rule === "cascade" && seed === experiment.seeds[0])
    await context.keep("cascade", { tensors: weights, state: null });
  return figures;
}

/** A network for one precision alone, with the same steps and batches. */
async function trainAlone(
  experiment: Experiment,
  bits: number,
  seed: number,
  context: PieceContext,
): Promise<TrainingFigures> {
  const subject = await subjectOf(experiment, context, [bits]);
  return (await trainSubject(experiment, subject, { rule: "joint", seed }, context)).figures;
}

async function trainSubject(
  { batchSize, epochs, learningRate, distillationWeight }: Experiment,
  { dataset, base, switchable }: Subject,
  run: { readonly rule: DistillationRule; readonly seed: number; readonly distillationWeight?: number },
  { runtime, watch, checkpoint }: PieceContext,
): Promise<{ readonly figures: TrainingFigures; readonly weights: Map<string, Tensor> }> {
  const random = createRandomStream(run.seed);
  const first = initializeParameters(base, random.split("weights"));
  const { weights, effort } = await trainSwitchable({
    runtime,
    dataset,
    switchable,
    weights: new Map([
      ...initializeParameters(switchable.network, random.split("ranges")),
      ...spreadOverPrecisions(switchable, first),
    ]),
    rule: run.rule,
    distillationWeight: run.distillationWeight ?? distillationWeight,
    batchSize,
    epochs,
    learningRate,
    random: random.split("training"),
    watch,
    resume: await checkpoint.load(),
    onCheckpoint: (saved) => checkpoint.save(saved),
  });
  const evaluations = await evaluatePrecisions({ runtime, switchable, weights, dataset, part: "test" });
  const accuracies = Object.fromEntries(
    [...evaluations].map(([bits, { accuracyFraction }]) => [`${bits}`, accuracyFraction] as const),
  );
  return { figures: { accuracies, steps: effort.optimizerSteps, trainingMacs: effort.trainingMacs }, weights };
}

/** The highest precision that is quantized. */
export function highestQuantized(bitWidths: readonly number[]): number {
  return Math.max(...bitWidths.filter((bits) => bits <= 16));
}

async function facts(experiment: Experiment, context: PieceContext): Promise<z.output<typeof factsSchema>> {
  const { dataset, base, switchable } = await subjectOf(experiment, context);
  const { tensors: weights } = await context.kept("cascade");
  const { bitWidths } = experiment;
  const options = { runtime: context.runtime, switchable, weights, dataset };
  const noise = await noiseGrowth(options, base);
  const lowest = Math.min(...bitWidths);
  const next = Math.min(...bitWidths.filter((bits) => bits > lowest));
  const quantized = highestQuantized(bitWidths);
  const evaluations = await evaluatePrecisions({ ...options, part: "test" });
  return {
    noiseLayer: noise.layer,
    noiseErrors: [...noise.errors],
    noisePerBit: noise.perBit,
    distanceToNext: await logitDistance(options, lowest, next),
    distanceToHighest: await logitDistance(options, lowest, Math.max(...bitWidths)),
    ownRanges: evaluations.get(quantized)!.accuracyFraction,
    sharedRanges: await accuracyWithSharedRanges(options, quantized),
  };
}

async function deployment(experiment: Experiment, context: PieceContext): Promise<DeploymentFigures> {
  const { tensors } = await context.kept("cascade");
  return deploymentFigures({ ...(await subjectOf(experiment, context)), weights: tensors, experiment, context });
}

async function search(experiment: Experiment, context: PieceContext): Promise<z.output<typeof searchSchema>> {
  const { search: settings, bitWidths, seeds, distillationWeight } = experiment;
  const { validationImagesPerClass: _, ...data } = experiment.data;
  const dataset = await context.dataset({ ...data, validationFraction: 0.5 });
  const { operators, choices, macs } = await searchNetwork({
    ...settings,
    runtime: context.runtime,
    dataset,
    space: spaceFor(experiment, dataset),
    bitWidths,
    passes: { distillationWeight },
    random: createRandomStream(seeds[0]!).split("search"),
    watch: context.watch,
    resume: await context.checkpoint.load(),
    onCheckpoint: (saved) => context.checkpoint.save(saved),
  });
  return { operators: [...operators], choices: [...choices], macs };
}

async function foundSubject(experiment: Experiment, context: PieceContext): Promise<Subject> {
  const dataset = await context.dataset(experiment.data);
  const { choices } = searchSchema.parse(context.result(pieceName.search));
  const base = fbnetOf(spaceFor(experiment, dataset), choices, "found");
  const switchable = switchableNetwork(base, { bitWidths: experiment.bitWidths, fullPrecision: isFixed });
  return { dataset, base, switchable };
}

async function trainFound(experiment: Experiment, context: PieceContext): Promise<TrainingFigures & { macs: number }> {
  const subject = await foundSubject(experiment, context);
  const { figures, weights } = await trainSubject(
    experiment,
    subject,
    { rule: "cascade", seed: experiment.seeds[0]! },
    context,
  );
  await context.keep("found", { tensors: weights, state: null });
  return { ...figures, macs: countMacs(subject.base.graph) };
}

async function deploymentOfFound(experiment: Experiment, context: PieceContext): Promise<DeploymentFigures> {
  const { tensors } = await context.kept("found");
  const subject = await foundSubject(experiment, context);
  return deploymentFigures({ ...subject, weights: tensors, experiment, context, fullPrecision: isFixed });
}
