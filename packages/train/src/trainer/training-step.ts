import { differentiate, type Tensor } from "@dovetail/graph";
import type { DropoutMask, Network } from "@dovetail/models";
import { applyOptimizer, trainedValue } from "../optimizers/apply-optimizer.js";
import { clipGradients } from "../optimizers/clip-gradients.js";
import type { Optimizer } from "../optimizers/optimizer.js";
import { addFormUpdates, type OpenStepOptions, openStep, type StatefulGraph, scalarInputs } from "./open-step.js";

export interface TrainingStepOptions extends OpenStepOptions {
  readonly optimizer: Optimizer;
  /** Adds the input `training/maximumNorm` to which the gradients' common norm is clipped; false by default. */
  readonly clip?: boolean | undefined;
  /** Adds the output `training/imageGradient`; false by default. */
  readonly imageGradient?: boolean | undefined;
  /** Names of the network's values to put out as they are in the training form, under their names. */
  readonly observes?: readonly string[] | undefined;
}

/**
 * Forward, loss, backward and optimizer of one batch as one graph. Inputs: image, target, the network's parameters and
 * scalars, dropout masks, optimizer memory, hyper-parameters. Outputs: loss, correct, the new values of all that changes.
 */
export interface TrainingStep extends StatefulGraph {
  /** Name of the image input, float32 [batch, channels, height, width]. */
  readonly image: string;
  /** Name of the target input. */
  readonly target: string;
  /** Name of the output with the mean loss of the batch, rank 0. */
  readonly loss: string;
  /** Name of the output with the number of right predictions, rank 0, float32; absent where targets are no labels. */
  readonly correct: string | undefined;
  /** Name of the output with the loss's gradient to the image; absent unless asked for. */
  readonly imageGradient: string | undefined;
  /** Inputs of hyper-parameters by the optimizer's name for them; `maximumNorm` beside them when clipped. */
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly masks: readonly DropoutMask[];
  /** To be fed at every step, see `uniformNoise`. */
  readonly noises: readonly { readonly input: string; readonly shape: readonly number[] }[];
  /** Optimizer memory, all zeros, by input name. */
  readonly initialMemory: () => Map<string, Tensor>;
}

/** Builds the training step of a network for a fixed batch size. Throws when no parameter is left to train. */
export function buildTrainingStep(network: Network, options: TrainingStepOptions): TrainingStep {
  const { optimizer } = options;
  const open = openStep(network, options);
  const { g, form, loss, correct, trained } = open;
  const scalars = scalarInputs(g, [...optimizer.inputs, ...(options.clip ? ["maximumNorm"] : [])]);
  const withRespectTo = trained.map((spec) => trainedValue(g, spec));
  if (options.imageGradient) withRespectTo.push(g.value(network.image));
  let gradients = differentiate(g, { loss, withRespectTo });
  const imageGradient = options.imageGradient ? gradients.at(-1)! : undefined;
  gradients = gradients.slice(0, trained.length);
  if (options.clip) gradients = g.scope("clip", () => clipGradients(g, gradients, scalars.maximumNorm!));

  g.output(loss, "training/loss");
  if (correct) g.output(correct, "training/correct");
  if (imageGradient) g.output(imageGradient, "training/imageGradient");
  for (const name of options.observes ?? []) g.output(g.value(name));
  const updates = applyOptimizer(g, optimizer, trained, gradients, scalars);
  const statePairs = { ...updates.statePairs, ...addFormUpdates(open) };
  return {
    graph: g.build(),
    statePairs,
    image: network.image,
    target: open.target.name,
    loss: "training/loss",
    correct: correct && "training/correct",
    imageGradient: imageGradient && "training/imageGradient",
    hyperparameters: Object.fromEntries(Object.entries(scalars).map(([name, { name: input }]) => [name, input])),
    masks: form.masks,
    noises: form.noises,
    initialMemory: updates.initialMemory,
  };
}
