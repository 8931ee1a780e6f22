// Modelled latency and energy of training on Bit Fusion's array: the closed forms of its simulator.

import { bankedMemory, dram, type FusionArray, type FusionLayer, fusionCost, scalableUnit } from "@dovetail/hardware";
import { type ArrayFigures, figuresOfWork, imagesTogether, type LayerWork, remembered } from "./products.js";

/** Array and buffers of Bit Fusion's simulator at 45 nm: accelerators/bit-fusion.yaml. */
const array: FusionArray = {
  rows: 16,
  columns: 32,
  widestBits: 8,
  narrowestBits: 2,
  weightBufferBits: 65536 * 8,
  inputBufferBits: 32768 * 8,
  outputBufferBits: 16384 * 8,
  offChipBitsPerCycle: 192,
};
const technologyNm = 45;

/** Latency and energy of all work. Costs are those of 32 images together, and linear in the images. */
export function bitFusionFigures(work: readonly LayerWork[]): ArrayFigures {
  return figuresOfWork(work, perImage);
}

const perImage = remembered(costOf);

/** Latency and energy of a workload, for one of the images. */
function costOf(layer: FusionLayer): ArrayFigures {
  const { latencyCycles, bits } = fusionCost(layer, array);
  const buffers =
    buffer(bits.weightReads, bits.weightWrites, 65536, 16384, 64) +
    buffer(bits.inputReads, bits.inputWrites, 32768, 512, 16) +
    buffer(bits.outputReads, bits.outputWrites, 16384, 1024, 16);
  const offChip = (bits.offChipReads + bits.offChipWrites) * dram({ kind: "LPDDR4" }).energyPjPerBit;
  const macs = layer.batch * layer.inputChannels * layer.outputChannels * layer.kernelSize ** 2 * layer.outputSize ** 2;
  const energyPj = buffers + offChip + macs * productEnergyPj(layer.activationBits, layer.weightBits);
  return { latencyCycles: latencyCycles / imagesTogether, energyPj: energyPj / imagesTogether };
}

function buffer(readBits: number, writtenBits: number, bytes: number, widthBits: number, sideBySide: number): number {
  const { readPj, writePj } = bankedMemory({ bytes, widthBits, technologyNm, sideBySide });
  return (readBits * readPj + writtenBits * writePj) / widthBits;
}

/** Operands above 8 bits take a pass of the 8-bit unit for each pair of slices. */
function productEnergyPj(activationBits: number, weightBits: number): number {
  const passes = Math.ceil(activationBits / array.widestBits) * Math.ceil(weightBits / array.widestBits);
  const inUnit = (bits: number): number => Math.min(bits, array.widestBits);
  const { energyPj } = scalableUnit({
    kind: "composable",
    weightBitWidth: inUnit(weightBits),
    activationBitWidth: inUnit(activationBits),
    technologyNm,
  });
  return passes * energyPj;
}
