// What the graphs of a training step begin with: the forward pass in training form, and its loss.
import { inputError } from "@dovetail/core";
import { type Graph, GraphBuilder, type Value } from "@dovetail/graph";
import { type Network, type ParameterSpec, type TrainingForm, trainingForm } from "@dovetail/models";
import type { Loss } from "../losses/loss.js";

export interface OpenStepOptions {
  readonly loss: Loss;
  readonly batchSize: number;
  /** Whether the optimizer changes a parameter; all trainable ones by default. */
  readonly trains?: ((parameterName: string) => boolean) | undefined;
}

export interface OpenStep {
  readonly g: GraphBuilder;
  readonly form: TrainingForm;
  /** [batch, classes]. */
  readonly logits: Value;
  /** Input `training/target`. */
  readonly target: Value;
  /** Rank 0. */
  readonly loss: Value;
  /** Number of right predictions, rank 0, float32; absent where targets are no labels. */
  readonly correct: Value | undefined;
  readonly trained: readonly ParameterSpec[];
}

/** Throws when no parameter is left to train. */
export function openStep(network: Network, options: OpenStepOptions): OpenStep {
  const form = trainingForm(network, options);
  const g = GraphBuilder.from({ ...form.graph, outputs: [] });
  const logits = g.value(form.logits);
  const { elementType, shape } = options.loss.target(logits.type.shape!);
  const target = g.input("training/target", elementType, shape);
  const loss = g.scope("training", () => options.loss.build(g, logits, target));
  const isClassification = elementType === "int64" && shape.length === 1;
  const correct = isClassification ? g.scope("training", () => countCorrect(g, logits, target)) : undefined;
  return { g, form, logits, target, loss, correct, trained: trainedParameters(network, options) };
}

/** The parameters that the optimizer changes. Throws when there is none. */
export function trainedParameters(
  network: Network,
  { trains }: Pick<OpenStepOptions, "trains">,
): readonly ParameterSpec[] {
  const trained = network.parameters.filter(({ name, trainable }) => trainable && (trains?.(name) ?? true));
  if (trained.length === 0) throw inputError("nothing_to_train", `network "${network.name}" has no parameter to train`);
  return trained;
}

/** Adds the outputs that replace running statistics and ranges. Returns from each parameter to its output. */
export function addFormUpdates({ g, form }: Pick<OpenStep, "g" | "form">): Record<string, string> {
  for (const output of form.updates.values()) g.output(g.value(output));
  return Object.fromEntries(form.updates);
}

/** Inputs `training/NAME`, rank 0. */
export function scalarInputs(g: GraphBuilder, names: readonly string[]): Readonly<Record<string, Value>> {
  return Object.fromEntries(names.map((name) => [name, g.input(`training/${name}`, "float32", [])]));
}

/** A graph whose state pairs go with it. */
export interface StatefulGraph {
  readonly graph: Graph;
  /** From each input that a run changes to the output that replaces it. */
  readonly statePairs: Readonly<Record<string, string>>;
}

function countCorrect(g: GraphBuilder, logits: Value, labels: Value): Value {
  const predictions = g.op("ArgMax", [logits], { axis: 1, keepdims: 0 });
  return g.reduceSum(g.cast(g.equal(predictions, labels), "float32"), [0]);
}
