import { basisOfRow, rebuildWeights, type StructuredLayer } from "@dovetail/compress";
import { type Basis, createRebuildingLine, encodeCoefficient, type RowPair, slidingInputs } from "@dovetail/rtl";

// A layer on the bit-exact models of rebuild engine and line, and the same in plain integers.

/** What a convolution reads: activation codes [groups · inputChannels, height, width], and where its window goes. */
export interface LayerInput {
  readonly codes: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
  readonly stride: number;
  /** Zeros above, and to the left. */
  readonly padTop: number;
  readonly padLeft: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
  readonly signed: boolean;
  /** Of the output's rows every so many-th is computed, from the first. 1 by default: all. */
  readonly rowStep?: number | undefined;
}

export interface LineSettings {
  /** 8: weights are rounded to what the multipliers take; 24: as they are. */
  readonly weightBits: 8 | 24;
  readonly accumulatorBits: number;
}

export interface LayerOnLine {
  /** [outputChannels, rows computed, outputWidth], sums of integer products. */
  readonly sums: Float64Array;
  /** A real sum is the integer one times 2^exponent, of each filter. */
  readonly weightExponents: Int32Array;
  readonly cycles: number;
  readonly multiplyCycles: number;
  readonly rebuildCycles: number;
  /** Pairs of rows, and those of which neither is zero. */
  readonly pairs: number;
  readonly metPairs: number;
}

const multipliers = 8;
/** Bits between the largest and the smallest power of two of a coefficient. */
const span = (layer: StructuredLayer): number => layer.exponents - 1;

/** All of a layer's outputs on one line, filter by filter and row by row. Weights have one group's channels. */
export function layerOnLine(layer: StructuredLayer, input: LayerInput, settings: LineSettings): LayerOnLine {
  const { shape, form, exponents, codes } = layer;
  const { outputWidth } = input;
  const { columns, rowsPerFilter } = form;
  const outputRows = rowsComputed(input);
  const line = createRebuildingLine({
    multipliers,
    columns,
    exponents,
    signedInputs: input.signed,
    ...settings,
  });
  const weightExponents = integerExponents(layer, settings.weightBits);
  const sums = new Float64Array(shape.outputChannels * outputRows.length * outputWidth);
  const counts = { cycles: 0, multiplyCycles: 0, rebuildCycles: 0, pairs: 0, metPairs: 0 };
  const nonZeroRows = findNonZeroRows(input);
  const groupFilters = filtersOfGroup(layer, input);
  let places: readonly MetPlace[] = [];
  for (let filter = 0; filter < shape.outputChannels; filter++) {
    if (filter % groupFilters === 0) places = placesOfGroup(layer, input, nonZeroRows, filter / groupFilters);
    const bases = basesOf(layer, filter, weightExponents[filter]!);
    const words = Array.from({ length: rowsPerFilter }, (_, row) =>
      coefficientWords(codes, (filter * rowsPerFilter + row) * columns, columns, exponents),
    );
    for (const { outputRow, x, inputs } of places) {
      const pairs = words.map(
        (coefficients, row): RowPair => ({
          basis: basisOfRow(form, filter * rowsPerFilter + row) - filter * form.piecesPerFilter,
          coefficients,
          inputs: inputs[row],
        }),
      );
      const result = line.run(pairs, bases);
      for (let f = 0; f < Math.min(multipliers, outputWidth - x); f++) {
        sums[(filter * outputRows.length + outputRow) * outputWidth + x + f] = result.sums[f]!;
      }
      counts.cycles += result.cycles;
      counts.multiplyCycles += result.multiplyCycles;
      counts.rebuildCycles += result.rebuildCycles;
      counts.metPairs += result.pairs;
      counts.pairs += rowsPerFilter;
    }
  }
  return { sums, weightExponents, ...counts };
}

/** The same in plain integers: weights rounded from the values that the form stands for, products summed without end. */
export function layerInIntegers(layer: StructuredLayer, input: LayerInput, weightBits: 8 | 24): Float64Array {
  const { inputChannels, kernelHeight, kernelWidth, outputChannels } = layer.shape;
  const { outputWidth } = input;
  const outputRows = rowsComputed(input);
  const groupFilters = filtersOfGroup(layer, input);
  const exponents = integerExponents(layer, weightBits);
  const values = rebuildWeights(layer);
  const sums = new Float64Array(outputChannels * outputRows.length * outputWidth);
  const most = 2 ** (weightBits - 1) - 1;
  for (let filter = 0; filter < outputChannels; filter++) {
    const firstChannel = Math.floor(filter / groupFilters) * inputChannels;
    for (let c = 0; c < inputChannels; c++) {
      for (let r = 0; r < kernelHeight; r++) {
        for (let s = 0; s < kernelWidth; s++) {
          const value = values[((filter * inputChannels + c) * kernelHeight + r) * kernelWidth + s]!;
          const weight = Math.max(-most - 1, Math.min(most, Math.floor(value / 2 ** exponents[filter]! + 0.5)));
          if (weight === 0) continue;
          for (const [outputRow, y] of outputRows.entries()) {
            for (let x = 0; x < outputWidth; x++) {
              const code = codeAt(input, firstChannel + c, y * input.stride + r, x * input.stride + s);
              sums[(filter * outputRows.length + outputRow) * outputWidth + x]! += weight * code;
            }
          }
        }
      }
    }
  }
  return sums;
}

/**
 * Of each filter, the power of two that its integer weights count. At 24 bit the smallest one that its pieces have, so that
 * every weight is exact; at 8 bit the smallest at which the largest weight fits.
 */
function integerExponents(layer: StructuredLayer, weightBits: 8 | 24): Int32Array {
  const { shape, form, scaleExponents } = layer;
  const values = rebuildWeights(layer);
  return Int32Array.from({ length: shape.outputChannels }, (_, filter) => {
    const scales = scaleExponents.subarray(filter * form.piecesPerFilter, (filter + 1) * form.piecesPerFilter);
    const exact = Math.min(...scales) - span(layer);
    if (weightBits === 24) return exact;
    const weights = values.subarray(filter * form.filterWeights, (filter + 1) * form.filterWeights);
    const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
    let exponent = exact;
    while (largest / 2 ** exponent > 127) exponent++;
    return exponent;
  });
}

function basesOf(
  { form, bases, scaleExponents, exponents }: StructuredLayer,
  filter: number,
  exponent: number,
): Basis[] {
  const size = form.columns ** 2;
  return Array.from({ length: form.piecesPerFilter }, (_, piece) => {
    const index = filter * form.piecesPerFilter + piece;
    const elements = bases.subarray(index * size, (index + 1) * size);
    return { elements, outputShift: exponent - (scaleExponents[index]! - (exponents - 1)) };
  });
}

function coefficientWords(codes: Int8Array, from: number, columns: number, exponents: number): number[] | undefined {
  const words = Array.from(codes.subarray(from, from + columns), (code) => encodeCoefficient(code, exponents));
  return words.some((word) => word !== 0) ? words : undefined;
}

/** Outputs that a line computes together, and what each row of a filter's matrix meets there. */
interface MetPlace {
  /** Among the rows computed. */
  readonly outputRow: number;
  /** Of the first output. */
  readonly x: number;
  readonly inputs: readonly RowPair["inputs"][];
}

/** Rows of the output. */
function rowsComputed({ outputHeight, rowStep = 1 }: LayerInput): number[] {
  return Array.from({ length: Math.ceil(outputHeight / rowStep) }, (_, index) => index * rowStep);
}

/** The same for all filters of a group. */
function placesOfGroup(layer: StructuredLayer, input: LayerInput, nonZeroRows: Uint8Array, group: number): MetPlace[] {
  const firstChannel = group * layer.shape.inputChannels;
  const places: MetPlace[] = [];
  for (const [outputRow, y] of rowsComputed(input).entries()) {
    for (let x = 0; x < input.outputWidth; x += multipliers) {
      const inputs = Array.from({ length: layer.form.rowsPerFilter }, (_, row) =>
        inputsOf(layer, input, nonZeroRows, { firstChannel, row, y, x }),
      );
      places.push({ outputRow, x, inputs });
    }
  }
  return places;
}

interface Place {
  /** Of the group. */
  readonly firstChannel: number;
  /** Of the filter's matrix. */
  readonly row: number;
  /** Of the output. */
  readonly y: number;
  readonly x: number;
}

/** [tap][multiplier]; undefined where what the row meets is all zero. */
function inputsOf(
  layer: StructuredLayer,
  input: LayerInput,
  nonZeroRows: Uint8Array,
  { firstChannel, row, y, x }: Place,
): readonly ArrayLike<number>[] | undefined {
  const { kernelHeight, kernelWidth } = layer.shape;
  const { columns, filterWeights } = layer.form;
  const isNonZero = (channel: number, at: number): boolean => {
    const height = at - input.padTop;
    return height >= 0 && height < input.height && nonZeroRows[channel * input.height + height] === 1;
  };
  if (kernelWidth > 1) {
    const channel = firstChannel + Math.floor(row / kernelHeight);
    const at = y * input.stride + (row % kernelHeight);
    if (!isNonZero(channel, at)) return undefined;
    const length = (multipliers - 1) * input.stride + columns;
    const words = Array.from({ length }, (_, index) => codeAt(input, channel, at, x * input.stride + index));
    return slidingInputs(words, { multipliers, taps: columns, stride: input.stride });
  }
  // A row of three weights of neighbouring channels (and kernel rows): each meets a row of its own.
  const taps = Array.from({ length: columns }, (_, column) => row * columns + column);
  const places = taps.map((element) => ({
    isWeight: element < filterWeights,
    channel: firstChannel + Math.floor(element / kernelHeight),
    at: y * input.stride + (element % kernelHeight),
  }));
  if (!places.some(({ isWeight, channel, at }) => isWeight && isNonZero(channel, at))) return undefined;
  return places.map(({ isWeight, channel, at }) =>
    Array.from({ length: multipliers }, (_, f) => (isWeight ? codeAt(input, channel, at, (x + f) * input.stride) : 0)),
  );
}

/** At a place of the padded input. */
function codeAt(input: LayerInput, channel: number, y: number, x: number): number {
  const [height, width] = [y - input.padTop, x - input.padLeft];
  if (height < 0 || width < 0 || height >= input.height || width >= input.width) return 0;
  return input.codes[(channel * input.height + height) * input.width + width]!;
}

function filtersOfGroup({ shape }: StructuredLayer, { codes, height, width }: LayerInput): number {
  const groups = codes.length / (height * width) / shape.inputChannels;
  return shape.outputChannels / groups;
}

function findNonZeroRows({ codes, width }: LayerInput): Uint8Array {
  const rows = new Uint8Array(codes.length / width);
  for (let index = 0; index < codes.length; index++) if (codes[index] !== 0) rows[Math.floor(index / width)] = 1;
  return rows;
}
