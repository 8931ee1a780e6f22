import { expect, it } from "vitest";
import { isInside, layerLabel, layerParts, layerScope } from "./layer-name.js";

it.each([
  ["stage2.0.basic_k3/first/conv/Conv", "stage2.0.basic_k3/first/conv", "stage2.0.basic_k3/first"],
  ["stem/conv/Conv", "stem/conv", "stem"],
  ["classifier/Gemm", "classifier", "classifier"],
  ["conv2d_1", "conv2d_1", "conv2d_1"],
  ["layer1.0.conv1", "layer1.0.conv1", "layer1.0"],
  ["/conv/Conv", "/conv", "/conv"],
  ["Conv", "Conv", "Conv"],
])("%s is shown as %s and stands in %s", (name, label, scope) => {
  expect(layerLabel(name)).toBe(label);
  expect(layerScope(name)).toBe(scope);
});

it("takes names apart", () => {
  expect(layerParts("stage2.0.basic_k3/shortcut/conv/Conv")).toEqual(["stage2", "0", "basic_k3", "shortcut", "conv"]);
});

it("knows a scope from one with the same beginning", () => {
  expect(isInside("stage1.1.skip/conv", "stage1.1")).toBe(true);
  expect(isInside("stage1.1/skip", "stage1.1")).toBe(true);
  expect(isInside("stage1.10.skip/conv", "stage1.1")).toBe(false);
});
