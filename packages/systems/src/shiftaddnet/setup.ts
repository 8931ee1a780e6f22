// How ShiftAddNet's reproduction was made, in the card's words.

import { seedsOf } from "./experiment.js";
import type { Results } from "./results.js";
import { eightBitAlone } from "./tables.js";

export function setupOf(results: Results): string[] {
  return [dataAndEffort(results), seeds(results), networks, fixedPoint, energy(results), pruning(results)];
}

function dataAndEffort({ experiment }: Results): string {
  const { depth, widths, data, batchSize, steps } = experiment;
  const { trainImagesPerClass, validationImagesPerClass = 0, testImagesPerClass } = data;
  const trainImages = 10 * (trainImagesPerClass! - validationImagesPerClass);
  const epochs = ((steps * batchSize) / trainImages).toFixed(1);
  const tests = testImagesPerClass === undefined ? "all" : `${10 * testImagesPerClass}`;
  return `ResNet-${depth} with ${widths.join(", ")} channels on the bundled CIFAR-10 images: the first ${trainImagesPerClass} training images of each class, of which ${validationImagesPerClass} are held out for validation, and ${tests} test images, read once at the end of a training. All networks: ${steps} steps of ${batchSize} images (${epochs} epochs of ${trainImages}), flip and 4-pixel crop, a one-cycle learning rate, weight decay 1e-4 (none on exponents and signs), the same batches with one seed. Each but the frozen and the wide ones is trained in float32 by three optimizers, named by their highest learning rates: SGD with momentum 0.9, RAdam (DeepShift's authors need it), or SGD with RAdam for exponents and signs; the best one on the validation images serves for all of its runs, and is the only one whose test accuracy is read. Which three a network is offered was found on the validation images of a smaller one. The frozen one, of which only add layers learn, takes add's, the wide ones their narrow form's.`;
}

function seeds({ experiment }: Results): string {
  const runs = experiment.networks.flatMap(({ name, precisions }) =>
    precisions.map((precision) => ({ title: `${name} ${precision}`, seeds: seedsOf(experiment, [name, precision]) })),
  );
  const single = runs.filter((run) => run.seeds.length === 1).map(({ title }) => title);
  if (single.length === runs.length) return "One seed for every training.";
  return `${experiment.seeds.length} seeds for every training that takes less than ten minutes on a core, and for add and shift-add in float32, which take longer; one for the other long ones: ${single.join(", ")}. Claims compare seed by seed, over all seeds that their trainings share.`;
}

const networks =
  "Networks: convolution; shift: all convolutions and the classifier by DeepShift-PS shifts of 5 bits (exponents −14…0), a normalization behind the classifier; add: AdderNet's layers in blocks and shortcuts, stem and classifier as they are (their multiplications are counted); shift-add: in blocks and shortcuts a shift convolution, then an add layer of the same kernel from as many channels as it gives, stem and classifier by shifts alone, as in the authors' code; fixed-shift-add: its shifts frozen as drawn, exponents −7…0, of stem and classifier −7…−1. Add layers have AdderNet's adaptive rate. The wide networks have 1.6875 (shift) and 1.25 (add) times the channels, which is about shift-add's operator energy in float32 on the ASIC.";

const fixedPoint =
  "Fixed point: weights, inputs, errors and weight gradients of add layers in 8 bits, clipped, with powers of two as scales, one for a layer's weights and inputs together (units that subtract them need no alignment); the published code does not bound weights and inputs to 8 bits and drops the scale of the weight gradient. Shift layers: inputs and errors in 16 bits, or in 8. The authors' 16 bits are a fixed grid without a scale; ours has one a tensor. Convolutions and stem and classifier of the add network: SBM's affine quantizers at 8 bits, four operands. Normalizations are in float32.";

function energy(results: Results): string {
  return `Energy: points of the products that the training graph has, times a table's figures, and all accesses to scratchpads, global buffer and LPDDR4 on an Eyeriss-like array of 12 × 14 elements, mapped for least energy (200 evaluations a product), one image at a time. A point of a convolution is a multiplication and an addition, of a shift layer a shift and an addition, of an add layer two additions. Backward, shift layers multiply for their weight gradients and add layers for both; an add layer's error product reads a third operand, its input; learnt shifts also have two latent values a weight to update. Add layers move their operands like the others: the follow-up's script charges them nothing for DRAM, buffer and network. What a layer writes is as wide as the next one reads it. ${eightBitAlone(results)}`;
}

function pruning({ experiment: { retrainingSteps } }: Results): string {
  return `Pruning: the smallest weights of all shift layers together, and of all add layers, as a part of those that are not zero (about half of the shift weights are zero from the start); then ${retrainingSteps} steps with the zeros in place at a tenth of the learning rate. What pruning costs is counted from the same network trained as much further without it. In the published script the largest powers of two go, or pruned weights become 1. A zero weight of a shift layer saves its shift and addition; of an add layer it saves storage alone, for |x − 0| is summed up all the same.`;
}
