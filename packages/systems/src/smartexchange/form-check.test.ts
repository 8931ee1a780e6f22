import { packedTensors, structureNetwork, weightLayersOf } from "@dovetail/compress";
import { createRandomStream } from "@dovetail/core";
import { tensor } from "@dovetail/graph";
import { initializeParameters, resNet } from "@dovetail/models";
import { describe, expect, it } from "vitest";
import { checkForm, compareForm, saveAndRead } from "./form-check.js";

const network = resNet({ depth: 8, classCount: 4, pixels: { height: 8, width: 8 } });
const first = initializeParameters(network, createRandomStream(1));
const { layers, weights } = structureNetwork(weightLayersOf(network.graph, first), first);
const projected = { weights, tensors: packedTensors(weights, layers) };
const name = "stage2.0.first.conv.weight";
const { layer } = layers.get(name)!;

/** What is counted where the layer's form is read so. */
const readAs = (change: Partial<typeof layer>) => {
  const { tensors, graph } = saveAndRead(network, projected);
  const changed = new Map(tensors).set(name, { ...layers.get(name)!, layer: { ...layer, ...change } });
  return compareForm(network, weights, { tensors: changed, graph });
};

const changed = (codes: Int8Array, index: number, value: number): Int8Array => {
  const copy = codes.slice();
  copy[index] = value;
  return copy;
};

describe("the form after saving and reading", () => {
  it("is whole where nothing was changed", () => {
    const { fileBytes, headerBytes, ...counts } = checkForm(network, projected);
    expect(counts).toEqual({ changedInFile: 0, changedInModel: 0, outsideForm: 0, wrongAnnotations: 0 });
    expect(headerBytes).toBeGreaterThan(0);
    expect(headerBytes).toBeLessThan(fileBytes);
  });

  it("counts weights that changed in the file, and are no product of coefficients and basis", () => {
    const index = layer.bases.findIndex((element) => element > 0 && element < 127);
    const { changedInFile, outsideForm, wrongAnnotations } = readAs({
      bases: changed(layer.bases, index, layer.bases[index]! + 1),
    });
    expect(changedInFile).toBeGreaterThan(0);
    expect(outsideForm).toBe(changedInFile);
    expect(wrongAnnotations).toBe(0);
  });

  it("counts coefficients and elements of bases that the form does not have", () => {
    const index = layer.codes.findIndex((code) => code > 0 && code < 7);
    const products = readAs({ codes: changed(layer.codes, index, 7) }).outsideForm;
    expect(readAs({ codes: changed(layer.codes, index, 8) }).outsideForm).toBe(products + 1);
    expect(readAs({ bases: changed(layer.bases, 0, -128) }).outsideForm).toBeGreaterThan(0);
  });

  it("counts layers whose annotation is of other zeros", () => {
    const index = layer.codes.findIndex((code) => code !== 0);
    expect(readAs({ codes: changed(layer.codes, index, 0) }).wrongAnnotations).toBe(1);
  });

  it("counts weights that changed in the model", () => {
    const { tensors, graph } = saveAndRead(network, projected);
    const data = (graph.initializers.get(name)!.data as Float32Array).slice();
    data[3]! += 1;
    const initializers = new Map(graph.initializers).set(name, tensor("float32", weights.get(name)!.dimensions, data));
    const { changedInModel } = compareForm(network, weights, { tensors, graph: { ...graph, initializers } });
    expect(changedInModel).toBe(1);
  });
});
