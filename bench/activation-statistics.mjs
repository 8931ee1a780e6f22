#!/usr/bin/env node
// Statistics of real activations: a trained network runs on training images of all classes, and what enters each convolution is quantized to
// 8 bit and measured. Prints them as JSON, by layer and together: what stands in
// packages/systems/src/smartexchange/accelerator/measured-activations.ts.
// Usage: node bench/activation-statistics.mjs [FILE.onnx] (default: MLPerf Tiny's ResNet-8 in $DOVETAIL_SHARED)
import { readFileSync } from "node:fs";
import path from "node:path";
import { inferTypes, readModel, writeModel } from "@dovetail/graph";
import { meanTerms, measureWords, zeroRowFraction } from "@dovetail/hardware";
import { openModel } from "@dovetail/runtime";
import { loadDataset } from "@dovetail/train";

const imagesPerClass = 6;

/**
 * For each convolution's input: words of 8 bit (unsigned where nothing is negative), scaled so that the largest of the
 * images takes the largest code. The network's own input, raw pixels, is left out.
 */
async function activationStatistics(file) {
  const model = readModel(new Uint8Array(readFileSync(file)));
  const graph = inferTypes(model.graph);
  const inputs = [
    ...new Set(graph.nodes.filter(({ operator }) => operator === "Conv").map(({ inputs: [name] }) => name)),
  ].filter((name) => graph.inputs.every((input) => input.name !== name));
  const outputs = inputs.map((name) => ({ name, type: graph.types.get(name) }));
  const open = await openModel(writeModel({ ...model, graph: { ...graph, outputs } }), { threads: 1 });
  const dataset = await loadDataset({
    kind: "bundled-cifar10",
    trainImagesPerClass: imagesPerClass,
    validationImagesPerClass: 0,
    testImagesPerClass: 1,
  });
  const images = dataset.parts.train.count;
  const [channels, height, width] = dataset.imageShape;
  const data = Float32Array.from(dataset.images("train"));
  const batch = { elementType: "float32", dimensions: [images, channels, height, width], data };
  const results = await open.run({ [graph.inputs[0].name]: batch });
  await open.release();
  const layers = inputs.map((name) => statisticsOf(name, results[name]));
  const zeroRows = layers.reduce((sum, layer) => sum + layer.zeroRowFraction, 0) / layers.length;
  const words = mergeWords(layers.map((layer) => layer.words));
  return { file: path.basename(file), images, layers, words, zeroRowFraction: zeroRows };
}

function statisticsOf(name, { data, dimensions }) {
  let most = 0;
  let least = 0;
  for (const value of data) {
    most = Math.max(most, value);
    least = Math.min(least, value);
  }
  const signed = least < 0;
  const step = signed ? Math.max(most, -least) / 127 : most / 255;
  const codes = Int32Array.from(data, (value) => Math.round(value / step));
  const words = measureWords(codes, { bitWidth: 8, signed });
  return {
    name,
    dimensions,
    signed,
    zeroFraction: words.zeroFraction,
    zeroRowFraction: zeroRowFraction(codes, dimensions.at(-1)),
    onesPerWord: meanTerms(words.essentialBits),
    boothTermsPerWord: meanTerms(words.boothTerms),
    words,
  };
}

/** The mean of several distributions, each layer counting the same. */
function mergeWords(all) {
  const mean = (lists) =>
    lists[0].map((_, index) => lists.reduce((sum, list) => sum + (list[index] ?? 0), 0) / lists.length);
  return {
    bitWidth: 8,
    zeroFraction: mean(all.map(({ zeroFraction }) => [zeroFraction]))[0],
    essentialBits: mean(all.map(({ essentialBits }) => essentialBits)),
    boothTerms: mean(all.map(({ boothTerms }) => boothTerms)),
  };
}

const shared = process.env.DOVETAIL_SHARED ?? path.join(import.meta.dirname, "../../shared");
const file = process.argv[2] ?? path.join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx");
console.log(JSON.stringify(await activationStatistics(file), null, 2));
