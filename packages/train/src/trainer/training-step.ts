import { inputError } from "@dovetail/core";
import { differentiate, type Graph, GraphBuilder, type Tensor, type Value } from "@dovetail/graph";
import { type DropoutMask, type Network, trainingForm } from "@dovetail/models";
import type { Loss } from "../losses/loss.js";
import { applyOptimizer } from "../optimizers/apply-optimizer.js";
import { clipGradients } from "../optimizers/clip-gradients.js";
import type { Optimizer } from "../optimizers/optimizer.js";

export interface TrainingStepOptions {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly batchSize: number;
  /** Adds the input `training/maximumNorm` to which the gradients' common norm is clipped; false by default. */
  readonly clip?: boolean | undefined;
  /** Whether the optimizer changes a parameter; all trainable ones by default. */
  readonly trains?: ((parameterName: string) => boolean) | undefined;
}

/** Forward, loss, backward and optimizer of one batch as one graph. */
export interface TrainingStep {
  /**
   * Inputs: image, target, the network's parameters and scalars, dropout masks, optimizer memory, hyper-parameters.
   * Outputs: loss, correct, the new values of all that changes.
   */
  readonly graph: Graph;
  /** From each input that a step changes to the output that replaces it. */
  readonly statePairs: Readonly<Record<string, string>>;
  /** Name of the image input, float32 [batch, channels, height, width]. */
  readonly image: string;
  /** Name of the target input. */
  readonly target: string;
  /** Name of the output with the mean loss of the batch, rank 0. */
  readonly loss: string;
  /** Name of the output with the number of right predictions, rank 0, float32; absent where targets are no labels. */
  readonly correct: string | undefined;
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
  const { loss, optimizer } = options;
  const form = trainingForm(network, options);
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const trained = network.parameters.filter(({ name, trainable }) => trainable && (options.trains?.(name) ?? true));
  if (trained.length === 0) throw inputError("nothing_to_train", `network "${network.name}" has no parameter to train`);

  const logits = g.value(form.logits);
  const target = loss.target(logits.type.shape!);
  const targetValue = g.input("training/target", target.elementType, target.shape);
  const lossValue = g.scope("training", () => loss.build(g, logits, targetValue));
  const isClassification = target.elementType === "int64" && target.shape.length === 1;
  const correct = isClassification ? g.scope("training", () => countCorrect(g, logits, targetValue)) : undefined;

  const scalars = scalarInputs(g, [...optimizer.inputs, ...(options.clip ? ["maximumNorm"] : [])]);
  const parameters = trained.map(({ name }) => g.value(name));
  let gradients = differentiate(g, { loss: lossValue, withRespectTo: parameters });
  if (options.clip) gradients = g.scope("clip", () => clipGradients(g, gradients, scalars.maximumNorm!));

  g.output(lossValue, "training/loss");
  if (correct) g.output(correct, "training/correct");
  const updates = applyOptimizer(g, optimizer, trained, gradients, scalars);
  const statePairs = { ...updates.statePairs };
  for (const [parameter, output] of form.updates) {
    statePairs[parameter] = output;
    g.output(g.value(output));
  }
  return {
    graph: g.build(),
    statePairs,
    image: network.image,
    target: targetValue.name,
    loss: "training/loss",
    correct: correct && "training/correct",
    hyperparameters: Object.fromEntries(Object.entries(scalars).map(([name, { name: input }]) => [name, input])),
    masks: form.masks,
    noises: form.noises,
    initialMemory: updates.initialMemory,
  };
}

function scalarInputs(g: GraphBuilder, names: readonly string[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(names.map((name) => [name, g.input(`training/${name}`, "float32", [])]));
}

function countCorrect(g: GraphBuilder, logits: Value, labels: Value): Value {
  const predictions = g.op("ArgMax", [logits], { axis: 1, keepdims: 0 });
  return g.reduceSum(g.cast(g.equal(predictions, labels), "float32"), [0]);
}
