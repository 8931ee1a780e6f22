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
  return {
    load: async (name) => stages.get(name),
    save: async (name, checkpoint) => {
      // A checkpoint is what it was when it was saved, as it would be in a file.
      stages.set(name, { tensors: checkpoint.tensors, state: structuredClone(checkpoint.state) });
    },
  };
}
