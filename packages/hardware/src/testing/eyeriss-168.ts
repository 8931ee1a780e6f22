// For tests only: the mapper benchmark of Timeloop's exercise 06 (timeloop-accelergy-exercises, commit 2d55108) on
// ResNet-18's 3×3 layer with 64 channels, with the exercise's constraints.
import { readArchitecture } from "../architecture/architecture.js";
import { convolutionProblem } from "../workload/layers.js";

export const problem = convolutionProblem({
  inputChannels: 64,
  outputChannels: 64,
  outputHeight: 56,
  outputWidth: 56,
  kernelHeight: 3,
  kernelWidth: 3,
});

export const architecture = readArchitecture(`
name: eyeriss-168
levels:
  - { name: DRAM, storage: { widthBits: 64, wordBits: 8, readPj: 512, writePj: 512 } }
  - name: buffer
    storage:
      { entries: 16384, widthBits: 64, wordBits: 8, readPj: 18.183829, writePj: 14.137929, readBitsPerCycle: 128, writeBitsPerCycle: 128 }
  - { name: columns, fanout: { x: 14 } }
  - { name: rows, fanout: { y: 12 } }
  - name: inputs
    storage:
      { entries: 12, widthBits: 16, wordBits: 8, readPj: 0.202442, writePj: 0.176713, readBitsPerCycle: 16, writeBitsPerCycle: 16 }
  - name: weights
    storage:
      { entries: 192, widthBits: 16, wordBits: 8, readPj: 1.976602, writePj: 1.881657, readBitsPerCycle: 16, writeBitsPerCycle: 16 }
  - name: partialSums
    storage:
      { entries: 16, widthBits: 16, wordBits: 16, readPj: 0.2513, writePj: 0.2191, readBitsPerCycle: 32, writeBitsPerCycle: 32 }
compute: { energyPj: 0.207692 }
constraints:
  levels:
    - { level: DRAM, keep: [Weights, Inputs, Outputs], temporal: { permutation: ["*", N] } }
    - { level: buffer, keep: [Inputs, Outputs], bypass: [Weights], temporal: { permutation: ["*", N] } }
    - { level: columns, temporal: { dimensions: [] }, spatialX: { dimensions: [Q, M], permutation: [M, Q, S, R, P, C, N] } }
    - { level: rows, temporal: { dimensions: [] }, spatialY: { dimensions: [S, C, M], permutation: ["*", M, C, S] } }
    - { level: inputs, keep: [Inputs], bypass: [Weights, Outputs], temporal: { dimensions: [] } }
    - level: weights
      keep: [Weights]
      bypass: [Inputs, Outputs]
      temporal: { dimensions: [R, C], permutation: ["*", R, C] }
    - { level: partialSums, keep: [Outputs], bypass: [Weights, Inputs], temporal: { dimensions: [M] } }
`);
