import { differentiate, GraphBuilder, type Tensor, tensorFromData, type Value } from "@dovetail/graph";
import type { DropoutMask, Network, ParameterSpec, TrainingForm } from "@dovetail/models";
import { applyOptimizer, chosenPart, trainedValue } from "../optimizers/apply-optimizer.js";
import { clipGradients } from "../optimizers/clip-gradients.js";
import type { Optimizer } from "../optimizers/optimizer.js";
import {
  addFormUpdates,
  type OpenStepOptions,
  openStep,
  type StatefulGraph,
  scalarInputs,
  trainedParameters,
} from "./open-step.js";

// A step of several passes: the same graph runs once a pass, with other scalars, and adds its gradients up; then the
// optimizer steps. Beside one graph with all passes in it this takes the memory of one pass and is compiled as fast.

export interface PassStepOptions extends OpenStepOptions {
  readonly optimizer: Optimizer;
  readonly clip?: boolean | undefined;
  /** Most teachers that a pass has. */
  readonly teachers: number;
}

export interface PassStep {
  /**
   * Forward and backward. Inputs beside the network's own, the target and the masks: `training/weight` (rank 0),
   * `training/teachers` [teachers, batch, classes] and `training/teacherWeights` [teachers, 1, 1] where there are
   * teachers, and the sums of gradients. Outputs: loss (weighted, teachers' terms included), correct, logits, new sums.
   */
  readonly pass: StatefulGraph;
  /** The optimizer's step, from the sums of gradients, which become zero. */
  readonly apply: StatefulGraph;
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly masks: readonly DropoutMask[];
  readonly noises: TrainingForm["noises"];
  /** Optimizer memory, sums of gradients and marks of changed rows, all zeros, by input name. */
  readonly initialMemory: () => Map<string, Tensor>;
}

/** Names in the graph of a pass. */
export const passNames = {
  target: "training/target",
  weight: "training/weight",
  teachers: "training/teachers",
  teacherWeights: "training/teacherWeights",
  loss: "training/loss",
  correct: "training/correct",
  logits: "training/logits",
} as const;

/** Builds a step of several passes for a fixed batch size. Throws when no parameter is left to train. */
export function buildPassStep(network: Network, options: PassStepOptions): PassStep {
  const ofPass = buildPass(network, options);
  const apply = buildApply(network, options);
  const trained = trainedParameters(network, options);
  const sums = trained.map(({ name, shape }) => [sumName(name), zeros(shape)] as const);
  const marks = trained.filter(hasRows).map((spec) => [markName(spec.name), zeros(markShape(spec))] as const);
  return { ...apply, ...ofPass, initialMemory: () => new Map([...sums, ...marks, ...apply.initialMemory()]) };
}

function buildPass(network: Network, options: PassStepOptions): Pick<PassStep, "pass" | "masks" | "noises"> {
  const open = openStep(network, options);
  const { g, form, logits, correct, trained } = open;
  let loss = open.loss;
  if (options.teachers > 0) loss = g.add(loss, distance(g, logits, options.teachers));
  loss = g.mul(loss, g.input(passNames.weight, "float32", []));
  const parameters = trained.map((spec) => trainedValue(g, spec));
  const gradients = differentiate(g, { loss, withRespectTo: parameters });
  g.output(loss, passNames.loss);
  if (correct) g.output(correct, passNames.correct);
  g.output(logits, passNames.logits);
  const statePairs: Record<string, string> = {};
  const replaceBy = (old: Value, next: Value): void => {
    statePairs[old.name] = `${old.name}:next`;
    g.output(next, `${old.name}:next`);
  };
  trained.forEach((spec, index) => {
    const sum = g.input(sumName(spec.name), "float32", spec.shape);
    replaceBy(sum, g.add(sum, gradients[index]!));
    if (!hasRows(spec)) return;
    const mark = g.input(markName(spec.name), "float32", markShape(spec));
    replaceBy(mark, g.where(chosenPart(g, spec)!, 1, mark));
  });
  Object.assign(statePairs, addFormUpdates(open));
  return { pass: { graph: g.build(), statePairs }, masks: form.masks, noises: form.noises };
}

/** Σ weight · mean((logits − teacher)²); the teachers are inputs, so that they get no gradient. */
function distance(g: GraphBuilder, logits: Value, count: number): Value {
  const [batch, classes] = logits.type.shape as readonly [number, number];
  const teachers = g.input(passNames.teachers, "float32", [count, batch, classes]);
  const weights = g.input(passNames.teacherWeights, "float32", [count, 1, 1]);
  const difference = g.sub(g.unsqueeze(logits, [0]), teachers);
  const squares = g.mul(g.mul(difference, difference), weights);
  return g.mul(g.reduceSum(squares, [0, 1, 2]), 1 / (batch * classes));
}

function buildApply(
  network: Network,
  options: PassStepOptions,
): Pick<PassStep, "apply" | "hyperparameters" | "initialMemory"> {
  const { optimizer, clip } = options;
  const trained: readonly ParameterSpec[] = trainedParameters(network, options);
  const g = new GraphBuilder(`${network.name}: optimizer`);
  for (const { name, shape, elementType = "float32" } of trained) g.input(name, elementType, shape);
  const sums = trained.map(({ name, shape }) => g.input(sumName(name), "float32", shape));
  const scalars = scalarInputs(g, [...optimizer.inputs, ...(clip ? ["maximumNorm"] : [])]);
  const gradients = clip ? clipGradients(g, sums, scalars.maximumNorm!) : sums;
  const marks = new Map(
    trained
      .filter(hasRows)
      .map((spec) => [spec.name, g.input(markName(spec.name), "float32", markShape(spec))] as const),
  );
  const updates = applyOptimizer(g, optimizer, trained, gradients, scalars, (_, { name }) => {
    const mark = marks.get(name);
    return mark && g.greater(mark, 0);
  });
  const statePairs: Record<string, string> = { ...updates.statePairs };
  for (const used of [...sums, ...marks.values()]) {
    statePairs[used.name] = `${used.name}:next`;
    g.output(g.mul(used, 0), `${used.name}:next`);
  }
  return {
    apply: { graph: g.build(), statePairs },
    hyperparameters: Object.fromEntries(Object.entries(scalars).map(([name, { name: input }]) => [name, input])),
    initialMemory: updates.initialMemory,
  };
}

function sumName(parameter: string): string {
  return `${parameter}:gradient`;
}

/** Of a parameter whose rows belong to settings of the network, those that a pass of the step has used are marked. */
function markName(parameter: string): string {
  return `${parameter}:used`;
}

function markShape({ shape }: ParameterSpec): readonly number[] {
  return shape.map((size, axis) => (axis === 0 ? size : 1));
}

function hasRows({ row }: ParameterSpec): boolean {
  return row !== undefined;
}

function zeros(shape: readonly number[]): Tensor {
  return tensorFromData("float32", shape, new Float32Array(shape.reduce((product, size) => product * size, 1)));
}
