// Maps one convolution on two accelerators of the Eyeriss-like family, and shows what it costs and why.
import { createRandomStream } from "@dovetail/core";
import { convolutionProblem, eyerissLike, mapLayer, printCost, printMapping } from "@dovetail/hardware";

const problem = convolutionProblem({
  name: "conv2_1",
  inputChannels: 16,
  outputChannels: 32,
  outputHeight: 16,
  outputWidth: 16,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 2,
  strideWidth: 2,
  bitWidths: { weights: 8, inputs: 8, outputs: 8 },
});

for (const array of [
  { arrayRows: 12, arrayColumns: 14 },
  { arrayRows: 8, arrayColumns: 16 },
]) {
  const architecture = eyerissLike(array);
  const result = mapLayer(problem, architecture, {
    objective: "edp",
    evaluations: 1000,
    random: createRandomStream(0),
  });
  if (!result.ok) throw new Error(`no mapping: ${result.rejection.reason}`);
  console.log(`${architecture.name}, ${result.evaluations} mappings tried`);
  console.log(printMapping(result.mapping));
  console.log(printCost(result.cost));
}
