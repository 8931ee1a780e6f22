import { describe, expect, it } from "vitest";
import { shapeTable } from "../shape/table.js";
import { gradientTable } from "./gradient-table.js";

const noFloats = "its results are integers or booleans, which carry no gradient";
const noFloatInputs = "no floating-point input determines its values";
const quantized =
  "integers carry no gradient: quantization is differentiated as a region (customGradient, straightThrough)";
const control = "its branches and bodies are graphs of their own: build them as separate graphs and choose on the host";
const selection = "how many values come out depends on the data";
const signal = "a signal transform that no network here trains through";

/** Operators that shapes are known of and gradients are not, and why. */
const withoutRule: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...["Not", "And", "Or", "Xor", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"],
      ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsInf", "IsNaN"],
      ...["ArgMax", "ArgMin", "NonZero", "NonMaxSuppression", "Shape", "Size", "Multinomial"],
    ].map((operator) => [operator, noFloats]),
  ),
  ...Object.fromEntries(
    ["Constant", "ConstantOfShape", "Range", "RandomNormal", "RandomUniform"].map((operator) => [
      operator,
      noFloatInputs,
    ]),
  ),
  ...Object.fromEntries(
    [
      ...["ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"],
      ...["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"],
    ].map((operator) => [operator, quantized]),
  ),
  ...Object.fromEntries(["If", "Loop", "Scan"].map((operator) => [operator, control])),
  ...Object.fromEntries(["Compress", "Unique"].map((operator) => [operator, selection])),
  ...Object.fromEntries(
    ["DFT", "STFT", "MelWeightMatrix", "HannWindow", "HammingWindow", "BlackmanWindow"].map((operator) => [
      operator,
      signal,
    ]),
  ),
  GRU: "recurrent layers to train are built from primitives, as lstm is",
  RNN: "recurrent layers to train are built from primitives, as lstm is",
  LpPool: "no network here trains through it",
  GlobalLpPool: "no network here trains through it",
  MaxUnpool: "no network here trains through it",
  MaxRoiPool: "detection heads are imported for inference",
  RoiAlign: "detection heads are imported for inference",
  GridSample: "spatial transformers are imported for inference",
  CenterCropPad: "Slice and Pad do the same and have rules",
  Col2Im: "ConvTranspose does the same and has a rule",
  Det: "needs an inverse, which ONNX has not",
  "ai.dovetail.AffineQuantization": quantized,
  "ai.dovetail.AdderConvInputGradient": "it stands for a derivative that the add layer has not; it has none itself",
  OneHot: "its values are constants; targets carry no gradient",
};

describe("the table of gradient rules", () => {
  it("has a rule for every operator with a shape rule, or a reason", () => {
    const missing = Object.keys(shapeTable).filter((operator) => !Object.hasOwn(gradientTable, operator));
    expect(missing.sort()).toEqual(Object.keys(withoutRule).sort());
  });

  it("has rules only for operators whose shapes are known", () => {
    expect(Object.keys(gradientTable).filter((operator) => !Object.hasOwn(shapeTable, operator))).toEqual([]);
  });
});
