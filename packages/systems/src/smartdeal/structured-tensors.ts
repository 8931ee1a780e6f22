// From weights to the tensors that a factored network trains, and from these to the stored form.

import {
  basisValues,
  coefficientMask,
  coefficientValues,
  decomposeLayer,
  keptRowsOf,
  type StructuredLayer,
} from "@dovetail/compress";
import { inputError } from "@dovetail/core";
import { type Tensor, tensor, tensorFromData, tensorNumbers } from "@dovetail/graph";
import { fromPieces, inPieces, integerBases } from "../structured/rebuild.js";
import { codeOfValue, forbiddenCode, magnitudeCount } from "./codes.js";
import { type FactoredLayer, type FactoredNetwork, layerShape } from "./factored-network.js";

export interface StartOptions {
  /** Share of the rows of coefficients that may differ from zero, the same in every layer. */
  readonly keptRowShare: number;
}

/**
 * Exponents above the largest of the first coefficients: what matters most grows in training. Without one a tenth of the
 * coefficients could not.
 */
const headroom = 1;

/**
 * First values of the factors: the weights, pruned by rows and decomposed. The mask is set here for good: elements that
 * the decomposition leaves at zero stay zero. `weights` are those of the network before it was rewritten.
 */
export function decomposedStart(
  { layers, form, range }: FactoredNetwork,
  weights: ReadonlyMap<string, Tensor>,
  { keptRowShare }: StartOptions,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const layer of layers) {
    const weight = weights.get(layer.weight);
    if (!weight) {
      throw inputError("missing_parameter", "weights to be decomposed", {
        expected: `a tensor "${layer.weight}"`,
        received: "none of that name",
      });
    }
    const values = Float32Array.from(tensorNumbers(weight));
    const shape = layerShape(layer.weightShape);
    const filters = shape.outputChannels;
    const { rowsPerFilter } = layer.form;
    const prunedRows = rowsPerFilter - Math.round(keptRowShare * rowsPerFilter);
    // 1×1 convolutions are folded as linear layers are, and share patterns as those do.
    const isLinear = shape.kernelHeight * shape.kernelWidth === 1;
    const keptRows = keptRowsOf(values, shape, { by: "share", share: prunedRows / rowsPerFilter }, isLinear);
    const { layer: structured } = decomposeLayer(values, shape, { keptRows, exponents: magnitudeCount - headroom });
    const mask = inPieces(coefficientMask(structured), filters, layer.form);
    const smaller = coefficientValues(structured).map((value) => value / 2 ** headroom);
    const coefficients = inPieces(smaller, filters, layer.form);
    const shapeOfPieces = [filters * layer.form.piecesPerFilter, layer.form.rowsPerPiece, layer.form.columns];
    if (form === "codes") {
      const codes = coefficients.map((value, index) => (mask[index] ? codeOfValue(value, range) : forbiddenCode));
      tensors.set(layer.coefficients, tensor("int8", shapeOfPieces, codes));
    } else {
      tensors.set(layer.coefficients, tensor("float32", shapeOfPieces, coefficients));
      tensors.set(layer.mask!, tensor("int8", shapeOfPieces, mask));
    }
    const side = layer.form.columns;
    const larger = basisValues(structured).map((value) => value * 2 ** headroom);
    tensors.set(layer.basis, tensorFromData("float32", [shapeOfPieces[0]!, side, side], larger));
  }
  return tensors;
}

/** The stored form of every layer, by the name of its weight: exactly the weights that the network computes with. */
export function structuredLayers(
  { layers, form, range }: FactoredNetwork,
  tensors: ReadonlyMap<string, Tensor>,
): Map<string, StructuredLayer> {
  return new Map(
    layers.map((layer) => {
      const numbers = tensorNumbers(tensors.get(layer.coefficients)!);
      const mask = form === "latent" ? tensorNumbers(tensors.get(layer.mask!)!) : undefined;
      const codes = Array.from(numbers, (value, index) => {
        if (!mask) return value === forbiddenCode ? 0 : value;
        return mask[index] ? codeOfValue(value, range) : 0;
      });
      return [
        layer.weight,
        structuredLayer(layer, codes, tensorNumbers(tensors.get(layer.basis)!), range.minimumExponent),
      ];
    }),
  );
}

function structuredLayer(
  { weightShape, form }: FactoredLayer,
  codes: readonly number[],
  basis: ArrayLike<number>,
  minimumExponent: number,
): StructuredLayer {
  // Stored codes count down from the largest magnitude, which is 1.
  const largestExponent = minimumExponent + magnitudeCount - 1;
  const stored = codes.map((code) => (code === 0 ? 0 : Math.sign(code) * (magnitudeCount + 1 - Math.abs(code))));
  const { bases, scaleExponents } = integerBases(basis, form);
  return {
    shape: layerShape(weightShape),
    form,
    exponents: magnitudeCount,
    codes: Int8Array.from(fromPieces(stored, weightShape[0]!, form)),
    bases,
    scaleExponents: scaleExponents.map((exponent) => exponent + largestExponent),
  };
}
