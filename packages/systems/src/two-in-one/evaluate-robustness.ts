// A trained network against attacks: the published protocol beside the adaptive evaluation.
import {
  adaptiveEvaluation,
  assessRobustness,
  type Defence,
  type Examples,
  type Oracle,
  openDefence,
  pgd,
  publishedEvaluation,
  publishedPgd,
  uniformVariants,
} from "@dovetail/attack";
import type { RandomStream, Watch } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { bitInputs, type SwitchableNetwork } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import type { ImageDataset } from "@dovetail/train";
import { z } from "zod";
import { type Experiment, epsilon } from "./experiment.js";

export interface RobustnessTask {
  readonly runtime: Runtime;
  readonly dataset: ImageDataset;
  readonly switchable: SwitchableNetwork;
  readonly weights: ReadonlyMap<string, Tensor>;
  /** What the defender draws from. */
  readonly set: readonly number[];
  readonly experiment: Experiment;
  readonly random: RandomStream;
  readonly watch: Watch;
}

const fraction = z.number();

/** Clean accuracy, the published protocol, and PGD on the exact expectation, all over the same set. */
export const briefSchema = z.object({ clean: fraction, published: fraction, adaptive: fraction });
export type BriefFigures = z.output<typeof briefSchema>;

export async function briefRobustness(task: RobustnessTask): Promise<BriefFigures> {
  return withDefence(task, async (options) => {
    const { pgdSteps: steps } = task.experiment;
    const { clean, worst } = await adaptiveEvaluation({ ...options, attacks: [pgd({ steps, keep: "best" })] });
    const published = await publishedEvaluation(publishedPgd({ steps }), options);
    return {
      clean: clean.accuracyFraction,
      published: published.accuracyFraction,
      adaptive: worst.accuracyFraction,
    };
  });
}

const interval = z.array(z.number()).length(2);
const lineSchema = z.object({ name: z.string(), state: z.string(), figure: z.string() });

/** Everything that a robustness card must show. */
export const fullSchema = z.object({
  images: z.number(),
  clean: z.object({ accuracy: fraction, interval }),
  attacks: z.array(z.object({ name: z.string(), accuracy: fraction, interval })),
  worst: z.object({ accuracy: fraction, interval }),
  decisions: z.object({ worstCase: fraction, majorityVote: fraction, ensembleMean: fraction }),
  /** Accuracy by [precision that decides][precision that was attacked]; absent for one precision. */
  transfer: z
    .object({
      free: z.array(z.array(fraction)),
      frozen: z.array(z.array(fraction)),
      freeMean: fraction,
      frozenMean: fraction,
    })
    .optional(),
  rules: z.array(lineSchema),
  masking: z.array(lineSchema),
});
export type FullFigures = z.output<typeof fullSchema>;

export async function fullRobustness(task: RobustnessTask): Promise<FullFigures> {
  const surrogate = openSurrogate(task);
  try {
    return await fullFigures(task, surrogate.oracle);
  } finally {
    await surrogate.release();
  }
}

/**
 * The same weights in full precision, with the batch norms of the set's highest precision: another source of gradients
 * than the straight-through ones of the defence itself.
 */
function openSurrogate({ runtime, switchable, weights, set }: RobustnessTask): Defence {
  const fullPrecision = { [bitInputs.weights]: 32, [bitInputs.activations]: 32 };
  const scalars = { ...switchable.setting(Math.max(...set)), ...fullPrecision };
  const variants = uniformVariants([{ name: "full precision", scalars }]);
  return openDefence({ runtime, network: switchable.network, weights, variants, batchSize: 100 });
}

async function fullFigures(task: RobustnessTask, surrogate: Oracle): Promise<FullFigures> {
  const { experiment } = task;
  const report = await withDefence(task, (options) =>
    assessRobustness({
      ...options,
      surrogate,
      attacks: experiment.attacks,
      steps: experiment.steps,
      queries: experiment.queries,
      matrixSteps: experiment.pgdSteps,
      checkedImages: experiment.checkedImages,
      testImages: task.dataset.parts.test.count,
    }),
  );
  const { adaptive, transfer, rules, masking } = report;
  const figureOf = (of: { readonly accuracyFraction: number; readonly interval95: readonly [number, number] }) => ({
    accuracy: of.accuracyFraction,
    interval: [...of.interval95],
  });
  return {
    images: report.images,
    clean: figureOf(adaptive.clean),
    attacks: adaptive.attacks.map((attack) => ({ name: attack.attack, ...figureOf(attack) })),
    worst: figureOf(adaptive.worst),
    decisions: {
      worstCase: adaptive.decisions.worstCase,
      majorityVote: adaptive.decisions.majorityVote,
      ensembleMean: adaptive.decisions.ensembleMean,
    },
    ...(transfer && {
      transfer: {
        free: transfer.free.accuracyFraction.map((row) => [...row]),
        frozen: transfer.frozen.accuracyFraction.map((row) => [...row]),
        freeMean: transfer.freeMean,
        frozenMean: transfer.frozenMean,
      },
    }),
    rules: rules.map(({ name, state, figure, text }) => ({
      name,
      state,
      figure: figure === undefined ? text : `${figure}: ${text}`,
    })),
    masking: masking.map(({ name, state, figures, text }) => ({
      name,
      state,
      figure:
        figures.length > 0 ? figures.map((of) => `${of.of} ${percentText(of.accuracyFraction)}`).join(", ") : text,
    })),
  };
}

function percentText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

interface ProtocolOptions {
  readonly defence: Defence;
  readonly examples: Examples;
  readonly epsilon: number;
  readonly random: RandomStream;
  readonly watch: Watch;
}

async function withDefence<Result>(
  { runtime, dataset, switchable, weights, set, experiment, random, watch }: RobustnessTask,
  work: (options: ProtocolOptions) => Promise<Result>,
): Promise<Result> {
  const settings = set.map((bits) => ({ name: `${bits} bit`, scalars: switchable.setting(bits) }));
  const variants = uniformVariants(settings);
  const defence = openDefence({ runtime, network: switchable.network, weights, variants, batchSize: 100 });
  try {
    return await work({
      defence,
      examples: firstExamples(dataset, experiment.attackedImages),
      epsilon,
      random,
      watch,
    });
  } finally {
    await defence.release();
  }
}

/** The first test images of each class, as many of each, with their places as numbers. */
export function firstExamples(dataset: ImageDataset, count: number): Examples {
  const labels = dataset.labels("test");
  const perClass = Math.floor(count / dataset.classNames.length);
  const taken = new Array<number>(dataset.classNames.length).fill(0);
  const chosen: number[] = [];
  for (let index = 0; index < labels.length; index++) {
    if (taken[labels[index]!]! >= perClass) continue;
    taken[labels[index]!]! += 1;
    chosen.push(index);
  }
  const size = dataset.imageShape.reduce((product, length) => product * length, 1);
  const pixels = dataset.images("test");
  const images = new Float32Array(chosen.length * size);
  chosen.forEach((index, place) => {
    for (let offset = 0; offset < size; offset++) images[place * size + offset] = pixels[index * size + offset]! / 255;
  });
  return { images, labels: Int32Array.from(chosen, (index) => labels[index]!), ids: Int32Array.from(chosen) };
}
