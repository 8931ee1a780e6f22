// Quantizes a network of the zoo to 8 bit and writes it as an ONNX file that plain ONNX Runtime runs in integers.
import { createRandomStream } from "@dovetail/core";
import { writeModel } from "@dovetail/graph";
import { exportModel, initializeParameters, zooNetwork } from "@dovetail/models";
import { exportQdqModel, prepareQuantization } from "@dovetail/quant";
import { createRuntime } from "@dovetail/runtime";
import { evaluateModel, loadDataset } from "@dovetail/train";

const dataset = await loadDataset({ kind: "bundled-cifar10", trainImagesPerClass: 100, testImagesPerClass: 20 });
const { classNames, channelMean: mean, channelStandardDeviation: standardDeviation } = dataset;
// First weights only, so that the example is quick: `train` of @dovetail/train gives better ones.
const network = zooNetwork("resnet8", { classCount: classNames.length, pixels: { mean, standardDeviation } });
const weights = initializeParameters(network, createRandomStream(0));

// Batch normalizations are folded, and the ranges of activations measured on training images.
const runtime = await createRuntime();
const bits = { weightBits: 8, activationBits: 8 };
const prepared = await prepareQuantization({ runtime, network, weights, dataset, ...bits });
await runtime.release();

const float32 = writeModel(exportModel(network, weights, { classNames }));
const integer = writeModel(exportQdqModel(prepared.folded, prepared.weights, { ...bits, classNames }));
const evaluations = [];
for (const file of [float32, integer]) evaluations.push(await evaluateModel(file, { dataset, part: "test" }));
const [a, b] = evaluations.map(({ predictions }) => predictions);
const equal = a!.filter((prediction, index) => prediction === b![index]).length;
console.log(`float32: ${Math.round(float32.length / 1024)} KiB`);
console.log(`8 bit: ${Math.round(integer.length / 1024)} KiB`);
console.log(`the same class for more than 90 % of ${a!.length} test images: ${equal > 0.9 * a!.length}`);
