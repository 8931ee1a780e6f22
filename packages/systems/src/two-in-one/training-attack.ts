// Adversarial examples while training: made anew at each step against the weights, and at the precision, of that step.
import { buildImageGradient, crossEntropyLoss, type GradientsAt, pgdSteps, uniformStart } from "@dovetail/attack";
import type { RandomStream } from "@dovetail/core";
import { scalar, type Tensor, tensorFromData } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime, Segment, StateStore } from "@dovetail/runtime";
import { type Adversary, type OpenAdversary, type Scheduled, valueAt } from "@dovetail/train";

/** What is attacked. */
export type AttackedForm =
  /** Running statistics, which the attack leaves as they are (recommended by Pang et al., ICLR 2021). */
  | "inference"
  /** The batch's statistics; the running ones stay as they are. */
  | "training"
  /** The batch's statistics, and each attack step moves the running ones: the habit of the public code. */
  | "trainingWithUpdates";

export interface TrainingAttackOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly batchSize: number;
  /** Largest change of a value; of an image in [0, 1]. */
  readonly epsilon: number;
  /** 7 for PGD-7, 1 for FGSM-RS. */
  readonly steps: number;
  /** Of an image in [0, 1]. */
  readonly stepSize: number;
  /** The network's scalars at each step: those that the training step gets. */
  readonly scalars: Readonly<Record<string, Scheduled>>;
  /** `inference` by default. */
  readonly form?: AttackedForm | undefined;
  /** For the starts; each step and image has its own stream. */
  readonly random: RandomStream;
}

/** PGD in the maximum norm from a start drawn uniformly in the ball. Images that are wrong already go on moving. */
export function pgdAdversary(options: TrainingAttackOptions): Adversary {
  return { open: (state) => openPgd(options, state) };
}

async function openPgd(options: TrainingAttackOptions, state: StateStore): Promise<OpenAdversary> {
  const { runtime, network, batchSize, form = "inference", random } = options;
  const gradient = buildImageGradient(network, {
    loss: crossEntropyLoss,
    batchSize,
    form: form === "inference" ? "inference" : "training",
  });
  const kept = form === "trainingWithUpdates" ? Object.fromEntries(gradient.updates) : {};
  const outputs = gradient.graph.outputs.filter(
    ({ name }) => name === gradient.gradient || Object.values(kept).includes(name),
  );
  const segment = await runtime.compile({ ...gradient.graph, outputs }, { state, statePairs: kept });
  const range = rangeOf(network);
  return {
    perturb: async ({ images, labels, step }) => {
      const clean = images.data as Float32Array;
      const ball = {
        clean,
        imageSize: clean.length / batchSize,
        epsilon: options.epsilon * range.width,
        range: range.ends,
      };
      const stream = random.split(step);
      const scalars = scalarFeeds(network, options.scalars, step);
      const points = await pgdSteps({
        ...ball,
        start: uniformStart(ball, (row) => stream.split(row)),
        steps: options.steps,
        stepSize: options.stepSize * range.width,
        gradientAt: (at) =>
          gradientsOf(segment, gradient.gradient!, {
            ...scalars,
            [gradient.image]: tensorFromData("float32", images.dimensions, at),
            [gradient.label]: labels,
          }),
      });
      return tensorFromData("float32", images.dimensions, points);
    },
    release: () => segment.release(),
  };
}

async function gradientsOf(
  segment: Segment,
  output: string,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<GradientsAt> {
  const outputs = await segment.run(feeds);
  return { gradients: outputs[output]!.data as Float32Array };
}

const freeMemory = "adversary:change";

/**
 * "Free" adversarial training (Shafahi et al. 2019): each batch is repeated (`repeatBatches`), and the gradient of each
 * training step moves the change of the images by `epsilon` along its signs. The change is carried to the next batch.
 */
export function freeAdversary(options: {
  readonly network: Network;
  readonly batchSize: number;
  readonly epsilon: number;
}): Adversary {
  const { network, batchSize } = options;
  const shape = [batchSize, ...(network.graph.types.get(network.image)!.shape!.slice(1) as number[])];
  const { ends, width } = rangeOf(network);
  const epsilon = options.epsilon * width;
  const size = shape.reduce((product, length) => product * length, 1);
  const bounded = (value: number, [low, high]: readonly [number, number]): number =>
    value < low ? low : value > high ? high : value;
  return {
    learnsFromGradient: true,
    memory: new Map([[freeMemory, tensorFromData("float32", shape, new Float32Array(size))]]),
    open: async (state) => ({
      perturb: async ({ images }) => {
        const change = state.read(freeMemory).data as Float32Array;
        const clean = images.data as Float32Array;
        const points = clean.map((value, index) => bounded(value + change[index]!, ends));
        return tensorFromData("float32", shape, points);
      },
      learn: (gradient) => {
        const change = state.read(freeMemory).data as Float32Array;
        const slopes = gradient.data as Float32Array;
        const next = change.map((value, index) =>
          bounded(value + epsilon * Math.sign(slopes[index]!), [-epsilon, epsilon]),
        );
        state.write(freeMemory, tensorFromData("float32", shape, next));
      },
      release: async () => undefined,
    }),
  };
}

function rangeOf({ imageRange }: Network): { readonly ends: readonly [number, number]; readonly width: number } {
  return { ends: imageRange, width: imageRange[1] - imageRange[0] };
}

function scalarFeeds(
  network: Network,
  scalars: Readonly<Record<string, Scheduled>>,
  step: number,
): Record<string, Tensor> {
  return Object.fromEntries(
    network.scalars.map(({ name, value }) => [name, scalar(valueAt(scalars[name] ?? value, step))] as const),
  );
}
