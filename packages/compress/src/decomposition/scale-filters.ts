import { quantizeBasis } from "./decompose-piece.js";
import { basisValues, type StructuredLayer } from "./structured-layer.js";

/**
 * The layer with each filter multiplied by a factor, as a batch normalization does that is folded into it: coefficients
 * stay, bases are rounded to 8 bit anew.
 *
 * @param factors [outputChannels]
 */
export function scaleFilters(layer: StructuredLayer, factors: ArrayLike<number>): StructuredLayer {
  const { piecesPerFilter, columns } = layer.form;
  const size = columns ** 2;
  const values = basisValues(layer);
  const bases = new Int8Array(layer.bases.length);
  const scaleExponents = new Int8Array(layer.scaleExponents.length);
  for (let index = 0; index < scaleExponents.length; index++) {
    const factor = factors[Math.floor(index / piecesPerFilter)]!;
    const exact = values.subarray(index * size, (index + 1) * size).map((value) => value * factor);
    const { basis, scaleExponent } = quantizeBasis(Float64Array.from(exact));
    bases.set(basis, index * size);
    scaleExponents[index] = scaleExponent;
  }
  return { ...layer, bases, scaleExponents };
}
