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

/** Stages in memory: for a job that is not to be resumed. */
export function createMemoryStages(): StageStore {
  const stages = new Map<string, Checkpoint>();
  // What is kept and what is given are independent of what callers do with them, as with files.
  const copy = ({ tensors, state }: Checkpoint): Checkpoint => ({ tensors, state: structuredClone(state) });
  return {
    load: async (name) => {
      const checkpoint = stages.get(name);
      return checkpoint && copy(checkpoint);
    },
    save: async (name, checkpoint) => {
      stages.set(name, copy(checkpoint));
    },
  };
}
