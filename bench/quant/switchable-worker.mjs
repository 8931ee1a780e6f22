// Our side of the rows cdt-step and pgd7-step. Usage: node bench/quant/switchable-worker.mjs <kind> <batch size> <threads>.
import { createRandomStream } from "@dovetail/core";
import { scalar, tensorFromData } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { createRuntime } from "@dovetail/runtime";
import { pgdAdversary, precisionPasses } from "@dovetail/systems";
import { planStep, sgd, softmaxCrossEntropy } from "@dovetail/train";
import { serveSteps } from "../serve-steps.mjs";

const [kind, batchText, threadsText] = process.argv.slice(2);
const batchSize = Number(batchText);
const isCascade = kind === "cdt";
const random = createRandomStream(2);
const base = resNet({ depth: 20 });
const bitWidths = isCascade ? [4, 8, 12, 16, 32] : Array.from({ length: 13 }, (_, index) => 4 + index);
const switchable = switchableNetwork(base, {
  bitWidths,
  fullPrecision: ({ role }) => role === "stem" || role === "classifier" || (role === "shortcut" && !isCascade),
});
const { network, setting } = switchable;
const optimizer = sgd({ momentum: 0.9, weightDecay: 5e-4 });
const options = { loss: softmaxCrossEntropy(), optimizer, batchSize };
const plan = planStep(network, options, isCascade ? precisionPasses(switchable) : undefined);
const runtime = await createRuntime({ threads: Number(threadsText) });
const weights = createRandomStream(1);
const state = runtime.createState(
  new Map([
    ...initializeParameters(network, weights),
    ...spreadOverPrecisions(switchable, initializeParameters(base, weights)),
    ...plan.initialMemory(),
  ]),
);
const step = await plan.compile(runtime, state);
const epsilon = 8 / 255;
const attack = { runtime, network, batchSize, epsilon, steps: 7, stepSize: epsilon / 4, scalars: setting(8), random };
const adversary = isCascade ? undefined : await pgdAdversary(attack).open(state);

const pixels = Float32Array.from({ length: batchSize * 3 * 32 * 32 }, () => random.integer(256));
const images = tensorFromData("float32", [batchSize, 3, 32, 32], pixels);
const labels = tensorFromData(
  "int64",
  [batchSize],
  BigInt64Array.from({ length: batchSize }, () => BigInt(random.integer(10))),
);
const hyperparameters = optimizer.feeds({ ...optimizer.hyperparameters, learningRate: 0.05 }, 0);
const fixed = { [plan.target]: labels };
for (const [name, value] of Object.entries(setting(8))) fixed[name] = scalar(value);
for (const [name, input] of Object.entries(plan.hyperparameters)) fixed[input] = scalar(hyperparameters[name]);

let done = 0;
async function oneStep() {
  const seen = adversary ? await adversary.perturb({ images, labels, step: done }) : images;
  const outputs = await step.run({ ...fixed, [plan.image]: seen }, done);
  done += 1;
  return outputs[plan.loss].data[0];
}

await serveSteps({ threads: runtime.threads }, async () => ({ loss: await oneStep() }));
await runtime.release();
