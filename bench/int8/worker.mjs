// One side of bench/int8.mjs: inference of one model in a process of its own. Reads one command a line, answers with one
// line of JSON. Usage: node bench/int8/worker.mjs <onnx | predictor> <model file> <batch size> <threads>. `onnx` runs the
// file in plain ONNX Runtime, `predictor` imports it and runs it as `dovetail eval` does a network.
import { readFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import { readModel, tensorFromData } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { createRuntime, openModel } from "@dovetail/runtime";
import { createPredictor } from "@dovetail/train";
import { serveSteps } from "../serve-steps.mjs";

const [kind, file, batchText, threadsText] = process.argv.slice(2);
const [batchSize, threads] = [Number(batchText), Number(threadsText)];
const bytes = readFileSync(file);
const random = createRandomStream(2);
const pixels = Float32Array.from({ length: batchSize * 3 * 32 * 32 }, () => random.integer(256));
const image = tensorFromData("float32", [batchSize, 3, 32, 32], pixels);

const open = {
  onnx: async () => {
    const model = await openModel(bytes, { threads });
    return async () => (await model.run({ image }))[model.outputNames[0]].data;
  },
  predictor: async () => {
    const runtime = await createRuntime({ threads });
    const predictor = await createPredictor({ runtime, ...networkOfModel(readModel(bytes)) });
    return () => predictor.predict(image);
  },
};
const predict = await open[kind]();
/** One answer is the mean of several passes where one takes less than a few milliseconds. */
const passes = batchSize === 1 ? 20 : 1;

await serveSteps(
  { mode: kind },
  async () => {
    let logits;
    for (let pass = 0; pass < passes; pass++) logits = await predict();
    return { logits: Array.from(logits.slice(0, 10)) };
  },
  passes,
);
