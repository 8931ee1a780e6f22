// The fastest pipeline for ResNet-8 at 8 bit on a ZC706 board, found exactly.
import { createFpgaSolver, extractWorkloads, fpgaBoards, fpgaLayerOf, fpgaTemplate } from "@dovetail/hardware";
import { resNet } from "@dovetail/models";
import { withBitWidths } from "@dovetail/quant";

const board = fpgaBoards.ZC706;
const graph = withBitWidths(resNet({ depth: 8 }), { weightBits: 8, activationBits: 8 });
const layers = extractWorkloads(graph, { batchSize: 1 }).layers.map(({ name, problem }) => fpgaLayerOf(name, problem));
const solution = createFpgaSolver(fpgaTemplate({ board })).solve(layers, board);
if (!solution.feasible) throw new Error("nothing fits this board");

console.log(`${solution.framesPerSecond.toFixed(0)} frames/s, ${solution.dsp} of ${board.dsp} DSP slices`);
for (const { name, design, layerIndices, cycles, dsp, bram } of solution.chunks) {
  const { parallelism, tileOutputChannels, tileInputChannels, tileRows, tileColumns } = design;
  console.log(
    `${name}: ${layerIndices.length} layers, ${cycles} cycles, ${dsp} DSP, ${bram} BRAM, parallel over ${parallelism}, ` +
      `tile ${tileOutputChannels}×${tileInputChannels}×${tileRows}×${tileColumns}`,
  );
}
