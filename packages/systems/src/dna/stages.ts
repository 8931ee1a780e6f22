import type { Checkpoint } from "@dovetail/train";

/**
 * Where a long job keeps what it has done, so that it goes on after a kill. Stages are named; a stage that is complete
 * is not done again, one that is under way goes on from its last checkpoint. Writes are atomic.
 */
export interface StageStore {
  /** The checkpoint or result saved last under this name. */
  load(name: string): Promise<Checkpoint | undefined>;
  save(name: string, checkpoint: Checkpoint): Promise<void>;
}
