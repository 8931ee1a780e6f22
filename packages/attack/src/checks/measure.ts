// What rules and flags are judged by: figures of the defence itself, on a few images.

import { attributeOf } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { argMaxOfRows, correctness } from "@dovetail/train";
import type { Examples } from "../attacks/attack.js";
import { uniformStart } from "../attacks/ball.js";
import type { AttackLoss } from "../losses/loss.js";
import { dlrLoss, marginLoss } from "../losses/losses.js";
import type { Defence } from "../model/defence.js";
import { createAnswer } from "../model/oracle.js";
import type { ProtocolOptions } from "../protocols/transfer.js";

export interface DefenceMeasures {
  readonly images: number;
  readonly classCount: number;
  readonly variantCount: number;
  /** Largest L2 distance between the normalised logits that two outcomes of the draw (or two runs) give one image. */
  readonly drawDistance: number;
  /** Right images of each outcome. */
  readonly rightByDraw: readonly number[];
  /** All outputs in [0, 1] with sums of 1, within 1e-5. */
  readonly outputsAreProbabilities: boolean;
  /** Largest deviation of a row's sum from 1. */
  readonly outputSumError: number;
  /** Images whose gradient of the margin is 0 everywhere. */
  readonly zeroGradients: number;
  /** Images whose gradient of the difference of logits ratio is 0 at a random start; undefined below 3 classes. */
  readonly zeroGradientsOfDlr: number | undefined;
  /** Loops and gradient operators in the network's own graph. */
  readonly loopNodes: number;
  /** Nodes in training mode. */
  readonly trainingNodes: number;
}

/** At least so many passes are compared. */
const leastDraws = 5;

export async function measureDefence(options: ProtocolOptions): Promise<DefenceMeasures> {
  const { defence, examples } = options;
  const { classCount, variants } = defence;
  const logits: Float32Array[] = [];
  for (let draw = 0; draw < Math.max(leastDraws, variants.length); draw++) {
    const { name } = variants[draw % variants.length]!;
    logits.push(await defence.over([name]).logits(examples.images));
  }
  return {
    images: examples.labels.length,
    classCount,
    variantCount: variants.length,
    drawDistance: largestDistance(logits, classCount),
    rightByDraw: logits.map((of) =>
      correctness(argMaxOfRows(of, classCount), examples.labels).reduce((sum, value) => sum + value, 0),
    ),
    ...probabilityMeasures(logits[0]!, classCount),
    zeroGradients: await zeroGradients(defence, examples, marginLoss, examples.images),
    zeroGradientsOfDlr:
      classCount < dlrLoss.leastClasses
        ? undefined
        : await zeroGradients(defence, examples, dlrLoss, randomStart(options)),
    loopNodes: countNodes(defence.networks, ({ operator }) => /^(Loop|Scan)$|Gradient/.test(operator)),
    trainingNodes: countNodes(
      defence.networks,
      (node) => attributeOf(node, "training_mode", "int", 0) === 1 || node.operator === "BatchNormalizationTraining",
    ),
  };
}

function randomStart({ defence, examples, epsilon, random }: ProtocolOptions): Float32Array {
  const ball = { clean: examples.images, imageSize: defence.imageSize, epsilon };
  return uniformStart(ball, (row) => random.split("start").split(examples.ids[row]!));
}

function countNodes(
  networks: readonly Network[],
  counts: (node: Network["graph"]["nodes"][number]) => boolean,
): number {
  return networks.reduce((sum, { graph }) => sum + graph.nodes.filter(counts).length, 0);
}

/** Over all pairs of draws and all images: ‖a/‖a‖ − b/‖b‖‖. */
function largestDistance(logits: readonly Float32Array[], classCount: number): number {
  const unit = logits.map((of) => normalizedRows(of, classCount));
  let largest = 0;
  for (const [index, a] of unit.entries()) {
    for (const b of unit.slice(index + 1)) {
      for (let start = 0; start < a.length; start += classCount) {
        let sum = 0;
        for (let place = start; place < start + classCount; place++) sum += (a[place]! - b[place]!) ** 2;
        largest = Math.max(largest, Math.sqrt(sum));
      }
    }
  }
  return largest;
}

function normalizedRows(values: Float32Array, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += columns) {
    const row = values.subarray(start, start + columns);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) || 1;
    for (let index = 0; index < columns; index++) result[start + index] = row[index]! / length;
  }
  return result;
}

function probabilityMeasures(
  outputs: Float32Array,
  columns: number,
): Pick<DefenceMeasures, "outputsAreProbabilities" | "outputSumError"> {
  const tolerance = 1e-5;
  let outputSumError = 0;
  for (let start = 0; start < outputs.length; start += columns) {
    const sum = outputs.subarray(start, start + columns).reduce((total, value) => total + value, 0);
    outputSumError = Math.max(outputSumError, Math.abs(sum - 1));
  }
  const isInside = outputs.every((value) => value > -tolerance && value < 1 + tolerance);
  return { outputsAreProbabilities: isInside && outputSumError < tolerance, outputSumError };
}

async function zeroGradients(
  defence: Defence,
  { labels }: Examples,
  loss: AttackLoss,
  images: Float32Array,
): Promise<number> {
  const { imageSize, oracle } = defence;
  const answer = createAnswer(labels.length, imageSize);
  await oracle.differentiate({ images, labels }, loss, answer);
  let count = 0;
  for (let row = 0; row < labels.length; row++) {
    const gradient = answer.gradients.subarray(row * imageSize, (row + 1) * imageSize);
    if (gradient.every((value) => value === 0)) count += 1;
  }
  return count;
}
