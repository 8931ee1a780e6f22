// One side of bench/train.mjs: our training step in a process of its own. Reads one command a line, answers with one
// line of JSON. Usage: node bench/train/worker.mjs <network> <batch size> <threads>; the first answer names a file with
// the first weights, so that the peer starts from the same ones.
import { writeFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import { scalar, tensorFromData } from "@dovetail/graph";
import { initializeParameters, mobileNetV2, resNet } from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { buildTrainingStep, encodeSafetensors, sgd, softmaxCrossEntropy } from "@dovetail/train";
import { serveSteps } from "../serve-steps.mjs";

const [name, batchText, threadsText, weightsFile] = process.argv.slice(2);
const batchSize = Number(batchText);
const networks = { resnet20: () => resNet({ depth: 20 }), mobilenetv2: () => mobileNetV2() };
const network = networks[name]();
const optimizer = sgd({ momentum: 0.9, weightDecay: 1e-4 });
const step = buildTrainingStep(network, { loss: softmaxCrossEntropy(), optimizer, batchSize });

const weights = initializeParameters(network, createRandomStream(1));
const runtime = await createRuntime({ threads: Number(threadsText) });
const state = runtime.createState(new Map([...weights, ...step.initialMemory()]));
const segment = await runtime.compile(step.graph, { state, statePairs: step.statePairs });

const random = createRandomStream(2);
const pixels = Float32Array.from({ length: batchSize * 3 * 32 * 32 }, () => random.integer(256));
const labels = BigInt64Array.from({ length: batchSize }, () => BigInt(random.integer(10)));
const hyperparameters = optimizer.feeds({ ...optimizer.hyperparameters, learningRate: 0.05 }, 0);
const feeds = {
  [step.image]: tensorFromData("float32", [batchSize, 3, 32, 32], pixels),
  [step.target]: tensorFromData("int64", [batchSize], labels),
};
for (const [key, input] of Object.entries(step.hyperparameters)) feeds[input] = scalar(hyperparameters[key]);

const inputs = new Map([
  ["pixels", feeds[step.image]],
  ["labels", feeds[step.target]],
]);
const trained = network.parameters.filter(({ trainable }) => trainable).map((parameter) => parameter.name);
const pieces = encodeSafetensors(new Map([...weights, ...inputs]), { parameters: JSON.stringify(trained) });
writeFileSync(weightsFile, Buffer.concat(pieces));
await serveSteps(
  { mode: `${runtime.provider}, blocks of ${runtime.target.blockSize ?? 1}`, threads: runtime.threads },
  async () => ({ loss: (await segment.run(feeds))[step.loss].data[0] }),
);
await runtime.release();
