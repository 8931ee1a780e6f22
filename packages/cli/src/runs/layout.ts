import { join } from "node:path";

/** What a run folder holds when the run is done; `state` and the lock are there only before. */
export const runFiles = {
  /** What was asked for, defaults filled in. Of a training it is `training.yaml`. */
  recipe: "recipe.yaml",
  training: "training.yaml",
  /** The user's own network, where one was given. */
  input: "input.onnx",
  network: "network.onnx",
  weights: "weights.safetensors",
  /** Weights in compressed form, where such were asked for. */
  packed: "weights.packed",
  accelerator: "accelerator.yaml",
  /** A folder with a file a layer. */
  mappings: "mappings",
  metrics: "metrics.json",
  search: "search.json",
  /** The epochs of a training. */
  history: "history.json",
  timing: "timing.json",
  report: "report.html",
  /** A folder: a switchable network's model and mappings at each precision. */
  bundle: "bundle",
  /** Record and checkpoints of a run under way. */
  state: "state",
} as const;

const ownNames: ReadonlySet<string> = new Set(Object.values(runFiles));

/** Whether a file of this name in a run folder is ours: a result, the state, a lock, or a temporary file of one. */
export function isRunFile(name: string): boolean {
  return ownNames.has(name) || isLockName(name) || isTemporaryName(name);
}

/** Left behind by a process that was killed while it wrote. */
export function isTemporaryName(name: string): boolean {
  return /^\..+\.tmp$/.test(name);
}

/** Locks are numbered: see lock.ts. */
export function isLockName(name: string): boolean {
  return /^lock\.\d+$/.test(name);
}

/** The folder of checkpoints. */
export function stateFolder(folder: string): string {
  return join(folder, runFiles.state);
}
