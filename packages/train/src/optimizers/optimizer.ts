import type { ElementType, GraphBuilder, Value } from "@dovetail/graph";
import type { ParameterRole } from "@dovetail/models";

/** A parameter with its gradient (where it is a code, that of what it stands for) and the optimizer's memory of it, as values of the training-step graph. */
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

/** How a parameter changes in a step. */
export interface UpdateRule {
  /** Tensors kept for each parameter from step to step, zero at first. */
  readonly memory: readonly string[];
  /** Their types; float32 where nothing is said. */
  readonly memoryTypes?: Readonly<Record<string, ElementType>> | undefined;
  /** Adds the update of one parameter, of unchanged types. `inputs` holds the optimizer's rank-0 inputs by name. */
  readonly update: (
    g: GraphBuilder,
    optimized: OptimizedParameter,
    inputs: Readonly<Record<string, Value>>,
  ) => UpdatedParameter;
}

/**
 * An optimizer as a graph rewrite: elementwise nodes in the training-step graph. Its hyper-parameters are rank-0
 * inputs of the graph, so that they may change from step to step.
 */
export interface Optimizer extends UpdateRule {
  readonly name: string;
  /** Hyper-parameters with the values that they have where nothing else is said; `learningRate` has none. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Names of the rank-0 float32 inputs. */
  readonly inputs: readonly string[];
  /** What the inputs take at step 0, 1, 2, … */
  readonly feeds: (hyperparameters: Readonly<Record<string, number>>, step: number) => Record<string, number>;
  /** By role, rules that take the place of the optimizer's own. */
  readonly rules?: Readonly<Partial<Record<ParameterRole, UpdateRule>>> | undefined;
}
