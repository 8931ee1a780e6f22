import type { Tensor } from "@dovetail/graph";
import type { StateStore } from "@dovetail/runtime";

/** Puts other images in the place of each batch's: adversarial examples, made against the network as it is just then. */
export interface Adversary {
  /** Tensors that it keeps from step to step, with their first values. They lie in the state, and so in checkpoints. */
  readonly memory?: ReadonlyMap<string, Tensor> | undefined;
  /** Whether it is told the gradient of each step's loss to the images; false by default. */
  readonly learnsFromGradient?: boolean | undefined;
  /** Prepares it for a training whose parameters, and its own memory, are in `state`. */
  open(state: StateStore): Promise<OpenAdversary>;
}

/** A batch as the training step takes it. */
export interface AdversaryBatch {
  /** Float32 [batch, channels, height, width]; not to be written to. */
  readonly images: Tensor;
  /** Int64 [batch]. */
  readonly labels: Tensor;
  /** Optimizer steps done before. */
  readonly step: number;
}

export interface OpenAdversary {
  /** The images that the step is fed, of the same shape. */
  perturb(batch: AdversaryBatch): Promise<Tensor>;
  /** Receives the gradient of the step's loss to the images it was fed. */
  learn?: ((imageGradient: Tensor, step: number) => void) | undefined;
  release(): Promise<void>;
}
