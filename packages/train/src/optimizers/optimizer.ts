import type { GraphBuilder, Value } from "@dovetail/graph";

/** A parameter with its gradient and the optimizer's memory of it, as values of the training-step graph. */
export interface OptimizedParameter {
  readonly parameter: Value;
  readonly gradient: Value;
  /** By the names of `Optimizer.memory`, each of the parameter's shape. */
  readonly memory: Readonly<Record<string, Value>>;
  /** Weight decay applies to this parameter. */
  readonly decay: boolean;
}

/** What takes the place of a parameter and its memory. */
export interface UpdatedParameter {
  readonly parameter: Value;
  readonly memory: Readonly<Record<string, Value>>;
}

/**
 * An optimizer as a graph rewrite: elementwise nodes in the training-step graph. Its hyper-parameters are rank-0
 * inputs of the graph, so that they may change from step to step.
 */
export interface Optimizer {
  readonly name: string;
  /** Tensors kept for each parameter from step to step, zero at first. */
  readonly memory: readonly string[];
  /** Hyper-parameters with the values that they have where nothing else is said; `learningRate` has none. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Names of the rank-0 float32 inputs. */
  readonly inputs: readonly string[];
  /** What the inputs take at step 0, 1, 2, … */
  readonly feeds: (hyperparameters: Readonly<Record<string, number>>, step: number) => Record<string, number>;
  /** Adds the update of one parameter. `inputs` holds the rank-0 inputs by name. */
  readonly update: (
    g: GraphBuilder,
    optimized: OptimizedParameter,
    inputs: Readonly<Record<string, Value>>,
  ) => UpdatedParameter;
}
