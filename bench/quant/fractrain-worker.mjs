// Our side of the row fractrain-step. Usage: node bench/quant/fractrain-worker.mjs <batch size> <threads>.
import { createRandomStream } from "@dovetail/core";
import { scalar, tensorFromData } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { methodOf, prepareTraining } from "@dovetail/systems";
import { buildTrainingStep, sgd, uniformNoise } from "@dovetail/train";
import { serveSteps } from "../serve-steps.mjs";

const [batchText, threadsText] = process.argv.slice(2);
const batchSize = Number(batchText);
const { network, loss, controller } = prepareTraining(resNet({ depth: 20 }), methodOf({ kind: "dfq" }), {
  batchSize,
  steps: 1000,
});
const optimizer = sgd({ momentum: 0.9, weightDecay: 1e-4 });
const step = buildTrainingStep(network, { loss, optimizer, batchSize, observes: controller.observes });
const random = createRandomStream(2);
const runtime = await createRuntime({ threads: Number(threadsText) });
const state = runtime.createState(
  new Map([...initializeParameters(network, createRandomStream(1)), ...step.initialMemory()]),
);
const segment = await runtime.compile(step.graph, { state, statePairs: step.statePairs });

const pixels = Float32Array.from({ length: batchSize * 3 * 32 * 32 }, () => random.integer(256));
const labels = BigInt64Array.from({ length: batchSize }, () => BigInt(random.integer(10)));
const hyperparameters = optimizer.feeds({ ...optimizer.hyperparameters, learningRate: 0.05 }, 0);
const fixed = {
  [step.image]: tensorFromData("float32", [batchSize, 3, 32, 32], pixels),
  [step.target]: tensorFromData("int64", [batchSize], labels),
};
for (const [key, input] of Object.entries(step.hyperparameters)) fixed[input] = scalar(hyperparameters[key]);

let done = 0;
/** A step as training makes it: new noise, scalars from the controller, which counts what it cost. */
async function oneStep() {
  const feeds = { ...fixed };
  const scalars = controller.scalars();
  for (const { name, value } of network.scalars) feeds[name] = scalar(scalars[name] ?? value);
  const noise = random.split("noise").split(done);
  for (const { input, shape } of step.noises) feeds[input] = uniformNoise(noise.split(input), shape);
  const outputs = await segment.run(feeds);
  const value = outputs[step.loss].data[0];
  controller.observe({ step: done, loss: value, values: outputs });
  done += 1;
  return value;
}

await serveSteps({ threads: runtime.threads }, async () => ({ loss: await oneStep() }));
await runtime.release();
