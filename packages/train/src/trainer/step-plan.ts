import { scalar, type Tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime, StateStore } from "@dovetail/runtime";
import { valueAt } from "../schedules/schedule.js";
import { buildPassStep, type PassStep, passNames } from "./pass-step.js";
import type { Pass } from "./passes.js";
import { buildTrainingStep, type TrainingStep, type TrainingStepOptions } from "./training-step.js";

/** A training step of one pass or several, as the training loop sees it. */
export interface StepPlan extends Omit<TrainingStep, "graph" | "statePairs"> {
  compile(runtime: Runtime, state: StateStore): Promise<CompiledStep>;
}

export interface CompiledStep {
  /** Outputs by the names of the plan. `feeds` is everything for a pass with the training's own scalars. */
  run(feeds: Readonly<Record<string, Tensor>>, index: number): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** The step of a network; with `passes`, of several passes. */
export function planStep(network: Network, options: TrainingStepOptions, passes?: readonly Pass[]): StepPlan {
  return passes ? planPasses(network, options, passes) : planSingle(network, options);
}

function planSingle(network: Network, options: TrainingStepOptions): StepPlan {
  const step = buildTrainingStep(network, options);
  return {
    ...step,
    compile: async (runtime, state) => {
      const segment = await runtime.compile(step.graph, { state, statePairs: step.statePairs });
      return { run: (feeds) => segment.run(feeds), release: () => segment.release() };
    },
  };
}

function planPasses(network: Network, options: TrainingStepOptions, passes: readonly Pass[]): StepPlan {
  const slots = Math.max(...passes.map(({ teachers = [] }) => teachers.length));
  const step = buildPassStep(network, { ...options, teachers: slots });
  const isCounted = step.pass.graph.outputs.some(({ name }) => name === passNames.correct);
  return {
    image: network.image,
    target: passNames.target,
    loss: passNames.loss,
    correct: isCounted ? passNames.correct : undefined,
    imageGradient: undefined,
    hyperparameters: step.hyperparameters,
    masks: step.masks,
    noises: step.noises,
    initialMemory: step.initialMemory,
    compile: (runtime, state) => compilePasses(step, passes, runtime, state),
  };
}

async function compilePasses(
  step: PassStep,
  passes: readonly Pass[],
  runtime: Runtime,
  state: StateStore,
): Promise<CompiledStep> {
  const { pass, apply } = step;
  const teachersShape = pass.graph.types.get(passNames.teachers)?.shape as readonly number[] | undefined;
  const passSegment = await runtime.compile(pass.graph, { state, statePairs: pass.statePairs });
  const applySegment = await runtime.compile(apply.graph, { state, statePairs: apply.statePairs });
  const hyperparameters = new Set(Object.values(step.hyperparameters));
  return {
    run: async (feeds, index) => {
      const entries = Object.entries(feeds);
      const ofPasses = Object.fromEntries(entries.filter(([name]) => !hyperparameters.has(name)));
      const done: Record<string, Tensor>[] = [];
      for (const own of passes) {
        const scalars = Object.entries(own.scalars ?? {}).map(([name, value]) => [name, scalar(valueAt(value, index))]);
        done.push(
          await passSegment.run({
            ...ofPasses,
            ...Object.fromEntries(scalars),
            [passNames.weight]: scalar(own.weight ?? 1),
            ...teacherFeeds(own, teachersShape, done),
          }),
        );
      }
      await applySegment.run(Object.fromEntries(entries.filter(([name]) => hyperparameters.has(name))));
      return summarize(done);
    },
    release: async () => {
      await passSegment.release();
      await applySegment.release();
    },
  };
}

/** Logits of a pass's teachers; slots that it does not use have weight 0. `shape` is [slots, batch, classes]. */
function teacherFeeds(
  { teachers = [] }: Pass,
  shape: readonly number[] | undefined,
  done: readonly Readonly<Record<string, Tensor>>[],
): Record<string, Tensor> {
  if (!shape) return {};
  const [slots, batch, classes] = shape as readonly [number, number, number];
  const logits = new Float32Array(slots * batch * classes);
  const weights = new Float32Array(slots);
  teachers.forEach(({ pass, weight }, slot) => {
    logits.set(done[pass]![passNames.logits]!.data as Float32Array, slot * batch * classes);
    weights[slot] = weight;
  });
  return {
    [passNames.teachers]: tensorFromData("float32", shape, logits),
    [passNames.teacherWeights]: tensorFromData("float32", [slots, 1, 1], weights),
  };
}

/** The sum of the passes' losses, and the mean of their right predictions. */
function summarize(done: readonly Readonly<Record<string, Tensor>>[]): Record<string, Tensor> {
  const sum = (name: string): number => done.reduce((total, outputs) => total + tensorNumbers(outputs[name]!)[0]!, 0);
  const isCounted = passNames.correct in done[0]!;
  return {
    [passNames.loss]: scalar(sum(passNames.loss)),
    ...(isCounted && { [passNames.correct]: scalar(sum(passNames.correct) / done.length) }),
  };
}
