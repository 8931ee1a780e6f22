import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const batchSize = "128";

/** The row of a training step of a switchable network, `cdt` or `pgd7`; the peer runs it in these forms. */
export const switchableRow =
  (kind, forms = [{ kind, mode: "" }]) =>
  ({ threads, python }) => ({
    name: `${kind}-step`,
    ours: { command: process.execPath, args: [here("switchable-worker.mjs"), kind, batchSize, threads] },
    peers: forms.flatMap((form) =>
      ["nchw", "channels-last"].map((layout) => ({
        mode: `PyTorch, ${layout}${form.mode}`,
        command: python,
        args: [here("../peers/switchable_step.py"), form.kind, batchSize, threads, layout],
      })),
    ),
  });
