// A FracTrain step (DFQ's gates, ResNet-20, batch 128) against both published formulations: a convolution for each choice
// (CIFAR-10 code), and one convolution of the sum of quantized inputs (ImageNet code).
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const batchSize = "128";

export const row = ({ threads, python }) => ({
  name: "fractrain-step",
  ours: { command: process.execPath, args: [here("fractrain-worker.mjs"), batchSize, threads] },
  peers: ["one-convolution", "block-for-each-choice"].map((form) => ({
    mode: `PyTorch, ${form}`,
    command: python,
    args: [here("../peers/fractrain_step.py"), batchSize, threads, form],
  })),
});
