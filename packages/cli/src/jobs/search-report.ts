import { readModel, tensorFromData } from "@dovetail/graph";
import { type ReportData, renderReport, type TestImage } from "@dovetail/report";
import { type CandidateResult, type CoSearchResult, chargedPrecision } from "@dovetail/systems";
import { type ImageDataset, wilsonInterval95 } from "@dovetail/train";
import { openClassifier } from "../evaluation/classifier.js";
import type { Recipe } from "../recipes/schema.js";
import { runFiles } from "../runs/layout.js";
import type { SearchMetrics } from "../runs/metrics.js";
import type { Timing } from "../runs/timing.js";

export interface SearchReportOptions {
  readonly recipe: Recipe;
  readonly recipeText: string;
  readonly result: CoSearchResult;
  readonly metrics: SearchMetrics;
  readonly dataset: ImageDataset;
  readonly timing: Timing;
}

/** report.html of a search. */
export async function searchReport(options: SearchReportOptions): Promise<string> {
  const { recipe, recipeText, result, metrics, dataset, timing } = options;
  const { found, baselines, constraints, trace, effort } = result;
  const { command, seed, versions, inputs } = metrics;
  const { parts } = dataset;
  return renderReport({
    title: recipe.name,
    objective: recipe.objective,
    recipe: recipeText,
    data: {
      name: dataset.name,
      classes: dataset.classNames.length,
      trainingImages: parts.train.count,
      validationImages: parts.validation.count,
      testImages: parts.test.count,
    },
    precision: chargedPrecision(recipe),
    constraints,
    found: withInterval(found, parts.test.count),
    baselines: baselines.map((baseline, index) => ({
      ...withInterval(baseline, parts.test.count),
      pairedDifference95: {
        difference: found.accuracyFraction - baseline.accuracyFraction,
        interval95: metrics.baselines[index]!.pairedDifference95,
      },
    })),
    trace,
    effort,
    testImages: await shownImages(found, dataset),
    reproduction: { command, seed, versions, inputs, times: timesOf(timing) },
  });
}

function withInterval(candidate: CandidateResult, testImages: number): ReportData["found"] {
  const { onnx: _onnx, weights: _weights, testPredictions: _predictions, optimizerSteps: _steps, ...shown } = candidate;
  const correct = Math.round(candidate.accuracyFraction * testImages);
  return { ...shown, accuracyInterval95: wilsonInterval95(correct, testImages) };
}

function timesOf({ wallSeconds, cpuSeconds, tasks }: Timing): { name: string; seconds: number }[] {
  return [
    { name: "all", seconds: wallSeconds },
    { name: "processor time", seconds: cpuSeconds },
    ...tasks.map(({ task, wallSeconds: seconds }) => ({ name: task, seconds })),
  ];
}

/** Most wrong predictions that are shown. */
const shownMistakes = 10;

/** The first test image of each of up to ten classes, and the first mistakes among the others. */
async function shownImages(found: CandidateResult, dataset: ImageDataset): Promise<TestImage[]> {
  const labels = dataset.labels("test");
  const { testPredictions } = found;
  const firsts = dataset.classNames.slice(0, 10).map((_, label) => labels.indexOf(label));
  const mistakes = Array.from(labels.keys()).filter(
    (index) => testPredictions[index] !== labels[index] && !firsts.includes(index),
  );
  const chosen = [...firsts.filter((index) => index >= 0), ...mistakes.slice(0, shownMistakes)];
  const [channels, height, width] = dataset.imageShape;
  if (channels !== 1 && channels !== 3) return [];
  const size = channels * height * width;
  const bytes = chosen.map((index) => dataset.images("test").slice(index * size, (index + 1) * size));
  const probabilities = await probabilitiesOf(found.onnx, bytes, dataset);
  return chosen.map((index, row) => ({
    bytes: bytes[row]!,
    channels,
    height,
    width,
    label: dataset.classNames[labels[index]!]!,
    predicted: dataset.classNames[testPredictions[index]!]!,
    probability: probabilities[row * dataset.classNames.length + testPredictions[index]!]!,
  }));
}

async function probabilitiesOf(
  onnx: Uint8Array,
  images: readonly Uint8Array[],
  dataset: ImageDataset,
): Promise<Float32Array> {
  const classifier = await openClassifier({ path: runFiles.network, model: readModel(onnx), bytes: onnx });
  try {
    const pixels = Float32Array.from(images.flatMap((image) => [...image]));
    const scores = await classifier.predict(tensorFromData("float32", [images.length, ...dataset.imageShape], pixels));
    return classifier.probabilities(scores);
  } finally {
    await classifier.release();
  }
}
