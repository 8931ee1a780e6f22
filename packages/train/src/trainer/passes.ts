import type { Scheduled } from "../schedules/schedule.js";

/** One of several forward and backward passes that a training step makes with one batch. */
export interface Pass {
  /** The network's scalar inputs in this pass; those of the training where nothing is said. */
  readonly scalars?: Readonly<Record<string, Scheduled>> | undefined;
  /** Weight of this pass's loss in the step's; 1 by default. */
  readonly weight?: number | undefined;
  /** Passes before this one whose logits it is drawn to. No gradient flows to theirs. */
  readonly teachers?: readonly Teacher[] | undefined;
}

/** `weight` · (mean over batch and classes of the squared difference of logits) is added to the pupil's loss. */
export interface Teacher {
  /** Index of the pass. */
  readonly pass: number;
  readonly weight: number;
}
