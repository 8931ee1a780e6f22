import type { RandomStream } from "@dovetail/core";
import {
  type AdamSettings,
  type Categorical,
  createCategorical,
  drawOption,
  type GradientEstimator,
  updateLogits,
} from "./categorical.js";
import type { ChunkDesign, ChunkSpace } from "./design.js";
import { evaluatePipeline, type PipelineResult } from "./evaluate.js";
import type { FpgaResources } from "./model.js";
import type { Chunk, FpgaTemplate } from "./template.js";

/** Settings of the search by gradients over a pipeline's designs. */
export interface GradientSearchSettings extends AdamSettings {
  /** Pipelines drawn and evaluated. */
  readonly evaluations: number;
  readonly estimator: GradientEstimator;
  /**
   * What a choice is charged with. `pipeline` (as published): the slowest chunk's seconds for every choice of every
   * chunk, draws beyond the limits dropped. `chunk`: the own chunk's log cycles, weighted by how near it is to being the
   * bottleneck, plus its share of the resources at their current prices, above a running mean.
   */
  readonly credit: "pipeline" | "chunk";
  /** Decay of the running means of each chunk's charge (its baseline) and log cycles. */
  readonly meanDecay: number;
  /** Temperature of the softmax over running log cycles that finds the bottleneck. */
  readonly bottleneckSoftness: number;
  /** Step of the dual ascent on the price of DSP and BRAM. */
  readonly priceStep: number;
}

/** Median over seeds at least 89 % of the exact optimum on every board tried: docs/models/fpga-chunk.md has the table. */
export const gradientSearchDefaults: GradientSearchSettings = {
  evaluations: 2000,
  estimator: "scoreFunction",
  credit: "chunk",
  step: 0.015,
  betas: [0.5, 0.999],
  meanDecay: 0.95,
  bottleneckSoftness: 0.5,
  priceStep: 0.04,
};

/** As published with Auto-NBA: the step is so small that the search is random search that keeps the best. */
export const publishedGradientSearch: GradientSearchSettings = {
  ...gradientSearchDefaults,
  estimator: "straightThrough",
  credit: "pipeline",
  step: 1e-7,
};

export interface GradientSearchResult {
  /** The fastest drawn pipeline within the limits; absent when none of the draws fitted. */
  readonly best?: PipelineResult | undefined;
  readonly evaluations: number;
  /** Draws within the limits. */
  readonly feasibleDraws: number;
  /** Least bottleneck so far, cycles, after each evaluation; infinite while nothing fitted. */
  readonly bottleneckByEvaluation: Float64Array;
  /** How far the logit moved that moved most. */
  readonly largestLogitChange: number;
}

const loops = ["rows", "columns", "outputChannels", "inputChannels"] as const;

/** The nine choices of one chunk: parallelism, then tile and unroll of each loop. */
interface ChunkChoices {
  readonly parallelism: Categorical;
  readonly tiles: readonly Categorical[];
  readonly unrolls: readonly Categorical[];
}

/**
 * Differentiable search of an accelerator (DNA, A3C-S; seeds-hardware.md sections 2.4 and 2.7): every design choice of
 * every chunk has logits; a pipeline is drawn, evaluated, and its cost moves the logits. A reference point beside the
 * exact solver, which is faster on this template. With `step: 0` it is random search.
 */
export function gradientSearch(options: {
  readonly template: Pick<FpgaTemplate, "model" | "clockHz">;
  readonly chunks: readonly Chunk[];
  readonly limits: FpgaResources;
  readonly random: RandomStream;
  readonly settings?: Partial<GradientSearchSettings> | undefined;
}): GradientSearchResult {
  const settings = { ...gradientSearchDefaults, ...options.settings };
  const { template, chunks, limits, random } = options;
  const choices = chunks.map((chunk) => createChoices(chunk.space));
  const charge =
    settings.credit === "chunk" ? chunkCharges(settings, limits) : pipelineCharges(template, chunks.length);
  const bottleneckByEvaluation = new Float64Array(settings.evaluations);
  let best: PipelineResult | undefined;
  let feasibleDraws = 0;
  let time = 0;
  for (let evaluation = 0; evaluation < settings.evaluations; evaluation++) {
    const designs = chunks.map((chunk, index) => drawDesign(chunk.space, choices[index]!, random, settings.estimator));
    const result = evaluatePipeline(template, chunks, designs);
    const feasible = result.dsp <= limits.dsp && result.bram <= limits.bram;
    if (feasible) feasibleDraws++;
    if (feasible && result.bottleneckCycles < (best?.bottleneckCycles ?? Number.POSITIVE_INFINITY)) best = result;
    bottleneckByEvaluation[evaluation] = best?.bottleneckCycles ?? Number.POSITIVE_INFINITY;
    if (settings.credit === "pipeline" && !feasible) continue;
    time++;
    const costs = charge(result);
    choices.forEach((chunk, index) => {
      for (const categorical of allOf(chunk)) {
        updateLogits(categorical, { cost: costs[index]!, time, estimator: settings.estimator, adam: settings });
      }
    });
  }
  // All logits start at zero.
  const changes = choices.flatMap((chunk) => allOf(chunk).flatMap(({ logits }) => Array.from(logits, Math.abs)));
  const largestLogitChange = Math.max(0, ...changes);
  return { best, evaluations: settings.evaluations, feasibleDraws, bottleneckByEvaluation, largestLogitChange };
}

function createChoices(space: ChunkSpace): ChunkChoices {
  const perLoop = (): Categorical[] => loops.map((loop) => createCategorical(space[loop].length));
  return { parallelism: createCategorical(space.parallelisms.length), tiles: perLoop(), unrolls: perLoop() };
}

function allOf(choices: ChunkChoices): readonly Categorical[] {
  return [choices.parallelism, ...choices.tiles, ...choices.unrolls];
}

function drawDesign(
  space: ChunkSpace,
  choices: ChunkChoices,
  random: RandomStream,
  estimator: GradientEstimator,
): ChunkDesign {
  const draw = (categorical: Categorical, allowed: (option: number) => boolean): number =>
    drawOption(categorical, { random, estimator, allowed });
  const parallelism = space.parallelisms[draw(choices.parallelism, () => true)]!;
  const tiles = loops.map((loop, index) => space[loop][draw(choices.tiles[index]!, () => true)]!);
  const unrolls = loops.map((loop, index) => {
    const list = space[loop];
    return list[draw(choices.unrolls[index]!, (option) => list[option]! <= tiles[index]!)]!;
  });
  return {
    parallelism,
    tileRows: tiles[0]!,
    tileColumns: tiles[1]!,
    tileOutputChannels: tiles[2]!,
    tileInputChannels: tiles[3]!,
    unrollRows: unrolls[0]!,
    unrollColumns: unrolls[1]!,
    unrollOutputChannels: unrolls[2]!,
    unrollInputChannels: unrolls[3]!,
  };
}

type Charges = (result: PipelineResult) => readonly number[];

function pipelineCharges(template: Pick<FpgaTemplate, "clockHz">, chunks: number): Charges {
  return (result) => new Array<number>(chunks).fill(result.bottleneckCycles / template.clockHz);
}

/** Charge of each chunk above its running mean; keeps the prices of the resources (dual ascent). */
function chunkCharges(settings: GradientSearchSettings, limits: FpgaResources): Charges {
  const { meanDecay, bottleneckSoftness, priceStep } = settings;
  let dspPrice = 0;
  let bramPrice = 0;
  let logCycles: number[] | undefined;
  let baselines: number[] | undefined;
  const mean = (old: readonly number[] | undefined, now: readonly number[]): number[] =>
    old === undefined ? [...now] : old.map((value, index) => meanDecay * value + (1 - meanDecay) * now[index]!);
  return (result) => {
    const { chunks } = result;
    logCycles = mean(
      logCycles,
      chunks.map((chunk) => Math.log(chunk.cycles)),
    );
    const slowest = Math.max(...logCycles);
    const weights = logCycles.map((value) => Math.exp((value - slowest) / bottleneckSoftness));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const charges = chunks.map((chunk, index) => {
      const resources = (dspPrice * chunk.dsp) / limits.dsp + (bramPrice * chunk.bram) / limits.bram;
      return chunks.length * ((weights[index]! / total) * Math.log(chunk.cycles) + resources);
    });
    const before = baselines ?? charges;
    baselines = mean(baselines, charges);
    dspPrice = Math.max(0, dspPrice + priceStep * (result.dsp / limits.dsp - 1));
    bramPrice = Math.max(0, bramPrice + priceStep * (result.bram / limits.bram - 1));
    return charges.map((charge, index) => charge - before[index]!);
  };
}
