import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const batchSize = "128";

/** The row of a training step of a switchable network: `cdt` or `pgd7`. */
export const switchableRow =
  (kind) =>
  ({ threads, python }) => ({
    name: `${kind}-step`,
    ours: { command: process.execPath, args: [here("switchable-worker.mjs"), kind, batchSize, threads] },
    peers: ["nchw", "channels-last"].map((layout) => ({
      mode: `PyTorch, ${layout}`,
      command: python,
      args: [here("../peers/switchable_step.py"), kind, batchSize, threads, layout],
    })),
  });
