import { createRandomStream } from "@dovetail/core";
import type { LayerWeightShape } from "@dovetail/graph";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decomposeLayer, type LayerDecompositionOptions } from "./decompose-layer.js";
import {
  basisOfRow,
  basisValues,
  coefficientMask,
  coefficientValues,
  rebuildWeights,
  structuredAnnotation,
  structuredBits,
} from "./structured-layer.js";

const shapes: fc.Arbitrary<LayerWeightShape> = fc.record({
  outputChannels: fc.integer({ min: 1, max: 4 }),
  inputChannels: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 190, max: 230 })),
  kernelHeight: fc.integer({ min: 1, max: 3 }),
  kernelWidth: fc.constantFrom(1, 1, 2, 3, 3, 5),
});

/** Weights of a layer: normal, with some zeros, of a scale between 2^−20 and 2^6. */
const layers = fc.tuple(shapes, fc.integer(), fc.integer({ min: -20, max: 6 })).map(([shape, seed, scale]) => {
  const { outputChannels, inputChannels, kernelHeight, kernelWidth } = shape;
  const random = createRandomStream(seed >>> 0);
  const count = outputChannels * inputChannels * kernelHeight * kernelWidth;
  const weights = Float32Array.from({ length: count }, () =>
    random.uniform() < 0.1 ? 0 : random.normal() * 2 ** scale,
  );
  return { shape, weights, deviation: 2 ** scale };
});

const errorOf = (
  { weights, shape }: { readonly weights: Float32Array; readonly shape: LayerWeightShape },
  options: LayerDecompositionOptions,
): number => decomposeLayer(weights, shape, options).relativeSquaredError;

/** What rounding of sums may add. */
const slack = 1 + 1e-9;
const thresholds = fc.constantFrom(0, 0.05, 0.5);

describe("the error never rises", () => {
  it("with more rounds", () => {
    fc.assert(
      fc.property(layers, thresholds, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (layer, part, few, more) => {
        const threshold = part * layer.deviation;
        const before = errorOf(layer, { iterations: few, threshold });
        expect(errorOf(layer, { iterations: few + more, threshold })).toBeLessThanOrEqual(before * slack);
      }),
      { numRuns: 60 },
    );
  });

  it("with more exponents", () => {
    fc.assert(
      fc.property(
        layers,
        thresholds,
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        (layer, part, exponents, rescales) => {
          const options = { threshold: part * layer.deviation, rescales };
          const before = errorOf(layer, { ...options, exponents });
          expect(errorOf(layer, { ...options, exponents: exponents + 1 })).toBeLessThanOrEqual(before * slack);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("with more rows", () => {
    fc.assert(
      fc.property(layers, thresholds, fc.infiniteStream(fc.integer({ min: 0, max: 2 })), (layer, part, draws) => {
        const threshold = part * layer.deviation;
        const { codes, form } = decomposeLayer(layer.weights, layer.shape, { iterations: 0 }).layer;
        const draw = () => draws.next().value as number;
        const many = Uint8Array.from({ length: codes.length / form.columns }, () => Math.min(1, draw()));
        const few = many.map((kept) => (draw() === 0 ? 0 : kept));
        const before = errorOf(layer, { keptRows: few, threshold });
        expect(errorOf(layer, { keptRows: many, threshold })).toBeLessThanOrEqual(before * slack);
      }),
      { numRuns: 60 },
    );
  });
});

it("rebuilds exactly C·B, with allowed coefficients alone, and the error that it says", () => {
  fc.assert(
    fc.property(
      layers,
      thresholds,
      fc.integer({ min: 1, max: 7 }),
      ({ weights, shape, deviation }, part, exponents) => {
        const threshold = part * deviation;
        const { layer, relativeSquaredError } = decomposeLayer(weights, shape, { exponents, threshold });
        const { form, codes } = layer;
        const { columns } = form;
        for (const code of codes) expect(Math.abs(code)).toBeLessThanOrEqual(exponents);
        const rebuilt = rebuildWeights(layer);
        const c = coefficientValues(layer);
        const b = basisValues(layer);
        let difference = 0;
        let square = 0;
        weights.forEach((weight, index) => {
          const filter = Math.floor(index / form.filterWeights);
          const place = index - filter * form.filterWeights;
          const row = filter * form.rowsPerFilter + Math.floor(place / columns);
          const basis = basisOfRow(form, row);
          let product = 0;
          for (let k = 0; k < columns; k++) {
            product += c[row * columns + k]! * b[(basis * columns + k) * columns + (place % columns)]!;
          }
          expect(rebuilt[index]).toBe(product);
          difference += (weight - product) ** 2;
          square += weight ** 2;
        });
        if (square > 0) expect(relativeSquaredError).toBeCloseTo(difference / square, 10);
        // Weights that have the form keep it, bit for bit, when they are decomposed again.
        const again = decomposeLayer(rebuilt, shape, { exponents, previous: layer });
        expect(rebuildWeights(again.layer)).toEqual(rebuilt);
        const mask = coefficientMask(layer);
        expect(mask.every((bit, index) => (bit === 1) === (codes[index] !== 0))).toBe(true);
        const annotation = structuredAnnotation(layer);
        expect(annotation.nonZeroCoefficients).toBe(mask.reduce((sum, bit) => sum + bit, 0));
        expect(structuredBits(annotation)).toBe(
          annotation.keptRows * columns * annotation.coefficientBitWidth +
            codes.length / columns +
            layer.scaleExponents.length * (8 * columns ** 2 + 8),
        );
      },
    ),
    { numRuns: 60 },
  );
});
