import type { Tensor } from "@dovetail/graph";
import type { Json } from "../checkpoint/checkpoint.js";

/** What a training step gave. */
export interface ObservedStep {
  /** Optimizer steps before it. */
  readonly step: number;
  /** Mean loss of the batch. */
  readonly loss: number;
  /** Values by name, those that the controller asked for among them. */
  readonly values: Readonly<Record<string, Tensor>>;
}

/**
 * Steers a training by what its steps give: precision that rises when the loss no longer falls, a cost that is held at a
 * target. Deterministic, and with a state that makes an interrupted training go on to the same bits.
 */
export interface TrainingController {
  /** Names of the network's values that every step is to put out for `observe`. */
  readonly observes: readonly string[];
  /** Values of the network's scalar inputs at the next step, by name. */
  scalars(): Readonly<Record<string, number>>;
  observe(step: ObservedStep): void;
  state(): Json;
  /** Takes up a state that `state` gave. Throws when it is none. */
  restore(state: Json): void;
}
