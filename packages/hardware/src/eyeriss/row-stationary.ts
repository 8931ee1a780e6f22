import { inputError } from "@dovetail/core";

// The closed form of DNN-Chip-Predictor's Eyeriss-only predictor (GATECH-EIC, commit f0c62f93): 14 × 12 processing
// elements, 16 bit, 250 MHz. Its DRAM is far too cheap (0.3 pJ a word): it ranks operators, it measures no chip.

/** An operator on one image. A linear layer is a 1×1 convolution on one pixel. */
export interface RowStationaryOperator {
  readonly kind: "convolution" | "linear" | "averagePooling";
  readonly inputChannels: number;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly outputChannels: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  /** Height and width. */
  readonly kernelSize: number;
  readonly stride: number;
}

/** How output channels M, input channels C and output rows E are cut, from the register file (0) to the DRAM (3). */
export interface RowStationaryTiling {
  readonly m: readonly [registerFile: number, array: number, buffer: number, dram: number];
  readonly c: readonly [registerFile: number, array: number, buffer: number];
  readonly e: readonly [array: number, buffer: number];
}

export interface RowStationaryCost {
  readonly tiling: RowStationaryTiling;
  readonly energyPj: number;
  readonly latencyCycles: number;
}

export interface RowStationaryResult {
  /** The tiling of the least (energy − least) / most + (cycles − least) / most; the first of equals. */
  readonly chosen: RowStationaryCost;
  readonly leastEnergyPj: number;
  readonly leastLatencyCycles: number;
}

/** Clock of the predictor, and what it charges, pJ per word of 16 bit. */
export const rowStationaryClockHz = 250e6;
const energies = { mac: 1, dram: 0.3, bufferAccess: 0.5, network: 2, registerFile: 2 };
const limits = { units: 168, inputSpad: 12, weightSpad: 192, bufferWords: 65536, outputChannelsInSpad: 16 };

/**
 * The cost of an operator at the tiling that the predictor chooses, and the least energy and latency over all tilings
 * that fit.
 *
 * @throws DovetailError `row_stationary_operator` for sizes that are no positive integers, and for an operator that has
 * no tiling that fits.
 */
export function rowStationaryCost(operator: RowStationaryOperator): RowStationaryResult {
  for (const [field, value] of Object.entries(operator)) {
    if (field === "kind" || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw inputError("row_stationary_operator", "not a size", {
      path: [field],
      expected: "a positive integer",
      received: String(value),
    });
  }
  const costs = [...tilings(operator)].map((tiling) => costOf(operator, tiling));
  const first = costs[0];
  if (first === undefined) {
    throw inputError("row_stationary_operator", "no tiling fits the array and its memories", {
      expected: `fewer than ${limits.units} units, ${limits.inputSpad} input and ${limits.weightSpad} weight words`,
      received: `a kernel of ${operator.kernelSize}, ${operator.outputWidth} output columns`,
    });
  }
  const extremes = (of: (cost: RowStationaryCost) => number): readonly [number, number] => {
    const values = costs.map(of);
    return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  };
  const [leastEnergyPj, mostEnergyPj] = extremes(({ energyPj }) => energyPj);
  const [leastLatencyCycles, mostLatencyCycles] = extremes(({ latencyCycles }) => latencyCycles);
  const score = ({ energyPj, latencyCycles }: RowStationaryCost): number =>
    (energyPj - leastEnergyPj) / mostEnergyPj + (latencyCycles - leastLatencyCycles) / mostLatencyCycles;
  const chosen = costs.reduce((best, cost) => (score(cost) < score(best) ? cost : best), first);
  return { chosen, leastEnergyPj, leastLatencyCycles };
}

function* tilings(operator: RowStationaryOperator): Generator<RowStationaryTiling> {
  for (const [m0, m1, m2, m3] of factorizations(operator.outputChannels, 4)) {
    if (m0! > limits.outputChannelsInSpad) continue;
    for (const [c0, c1, c2] of factorizations(operator.inputChannels, 3)) {
      for (const [e1, e3] of factorizations(operator.outputHeight, 2)) {
        const tiling: RowStationaryTiling = { m: [m0!, m1!, m2!, m3!], c: [c0!, c1!, c2!], e: [e1!, e3!] };
        if (fits(operator, tiling)) yield tiling;
      }
    }
  }
}

/** All limits are strict in the predictor. */
function fits(
  operator: RowStationaryOperator,
  { m: [m0, m1, m2], c: [c0, c1], e: [e1] }: RowStationaryTiling,
): boolean {
  const { kernelSize, stride, outputWidth, kind } = operator;
  const span = (outputs: number): number => (outputs - 1) * stride + kernelSize;
  const bufferWords = c1 * c0 * span(e1) * span(outputWidth) + m2 * m1 * m0 * e1 * outputWidth;
  return (
    (kind === "linear" || e1 !== 1) &&
    m1 * c1 * e1 * kernelSize < limits.units &&
    c0 * kernelSize < limits.inputSpad &&
    m0 * c0 * kernelSize < limits.weightSpad &&
    bufferWords < limits.bufferWords
  );
}

function costOf(operator: RowStationaryOperator, tiling: RowStationaryTiling): RowStationaryCost {
  const [m0, m1, m2, m3] = tiling.m;
  const [c0, c1, c2] = tiling.c;
  const [e1, e3] = tiling.e;
  const { kernelSize: k, inputHeight, inputWidth, inputChannels, outputHeight, outputWidth } = operator;
  const inputs = inputHeight * inputWidth * inputChannels;
  const outputs = outputHeight * outputWidth * operator.outputChannels;
  const weights = k * k * operator.outputChannels * inputChannels;
  // Partial sums that come back are read and written; the first ones need no read.
  const returns = (count: number): number => Math.max(count, 1) * outputs;
  const dramInputs = m3 * inputs;
  const dramOutputs = outputs;
  const buffer = m3 * m2 * inputs + returns(2 * (c2 - 1));
  const rowsPerInputRow = outputHeight / inputHeight;
  const networkInputs = m3 * m2 * m1 * k * rowsPerInputRow * inputs;
  const network = networkInputs + e3 * e1 * weights + returns(c2 * (c1 * k - 1));
  const registerFile =
    networkInputs * m0 * k * (outputWidth / inputWidth) +
    e3 * e1 * outputWidth * weights +
    returns(2 * c2 * c1 * k * (c0 * k - 1));
  const macs = operator.kind === "averagePooling" ? 0 : (outputs * weights) / operator.outputChannels;
  const energyPj =
    macs * energies.mac +
    (dramInputs + e3 * weights + dramOutputs) * energies.dram +
    (dramInputs + dramOutputs + buffer) * energies.bufferAccess +
    network * energies.network +
    registerFile * energies.registerFile;
  return { tiling, energyPj, latencyCycles: m3 * m2 * m0 * c2 * c0 * e3 * outputWidth * k };
}

/** All ways to write a number as an ordered product, smaller factors first. */
function factorizations(value: number, parts: number): number[][] {
  if (parts === 1) return [[value]];
  const result: number[][] = [];
  for (let factor = 1; factor <= value; factor++) {
    if (value % factor !== 0) continue;
    for (const rest of factorizations(value / factor, parts - 1)) result.push([factor, ...rest]);
  }
  return result;
}
