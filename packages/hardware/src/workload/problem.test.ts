import { describe, expect, it } from "vitest";
import { convolutionProblem, matmulProblem } from "./layers.js";
import { dataSpaceWords, macCount, printProblem, readProblem, shapeKey, writeProblem } from "./problem.js";

const convolution = convolutionProblem({
  inputChannels: 64,
  outputChannels: 32,
  outputHeight: 28,
  outputWidth: 14,
  kernelHeight: 3,
  kernelWidth: 5,
  strideHeight: 2,
  dilationWidth: 2,
});

describe("problem", () => {
  it("survives writing and reading", () => {
    expect(readProblem(writeProblem(convolution))).toEqual(convolution);
    expect(Object.keys(readProblem(writeProblem(convolution)).dimensions)).toEqual(["N", "M", "C", "P", "Q", "R", "S"]);
  });

  it("counts MACs and words", () => {
    expect(macCount(convolution)).toBe(64 * 32 * 28 * 14 * 15);
    const [weights, inputs, outputs] = convolution.dataSpaces;
    expect(dataSpaceWords(convolution, weights!)).toBe(32 * 64 * 15);
    expect(dataSpaceWords(convolution, inputs!)).toBe(64 * (27 * 2 + 3) * (13 + 2 * 4 + 1));
    expect(dataSpaceWords(convolution, outputs!)).toBe(32 * 28 * 14);
  });

  it("makes depth-wise convolutions with groups", () => {
    const depthwise = convolutionProblem({
      inputChannels: 16,
      outputChannels: 16,
      outputHeight: 8,
      outputWidth: 8,
      kernelHeight: 3,
      kernelWidth: 3,
      groups: 16,
    });
    expect(macCount(depthwise)).toBe(16 * 64 * 9);
    expect(depthwise.dimensions).toMatchObject({ G: 16, M: 1, C: 1 });
    expect(depthwise.dataSpaces.map((space) => dataSpaceWords(depthwise, space))).toEqual([144, 1600, 1024]);
  });

  it("refuses groups that do not divide the channels", () => {
    const shape = { outputHeight: 1, outputWidth: 1, kernelHeight: 1, kernelWidth: 1 };
    expect(() => convolutionProblem({ ...shape, inputChannels: 6, outputChannels: 8, groups: 3 })).toThrow(
      "groups: the groups must divide both channel counts: expected a divisor of 6 and 8, received 3",
    );
  });

  it("makes matrix products", () => {
    const product = matmulProblem({ rows: 4, inner: 8, columns: 2, groups: 3 });
    expect(macCount(product)).toBe(3 * 4 * 8 * 2);
    expect(product.dataSpaces.map((space) => dataSpaceWords(product, space))).toEqual([48, 96, 24]);
  });

  it("keys shapes by what costs, not by names or dimensions of size 1", () => {
    const shape = {
      inputChannels: 4,
      outputChannels: 8,
      outputHeight: 1,
      outputWidth: 6,
      kernelHeight: 1,
      kernelWidth: 3,
    };
    const plain = convolutionProblem({ ...shape, name: "a" });
    expect(shapeKey(convolutionProblem({ ...shape, name: "b", strideHeight: 2 }))).toBe(shapeKey(plain));
    expect(shapeKey(convolutionProblem({ ...shape, strideWidth: 2 }))).not.toBe(shapeKey(plain));
    expect(shapeKey(convolutionProblem({ ...shape, bitWidths: { weights: 4 } }))).not.toBe(shapeKey(plain));
  });

  it("is refused where its multiply-accumulates cannot be counted", () => {
    const text = writeProblem(matmulProblem({ rows: 3, inner: 8, columns: 2 }));
    expect(() => readProblem(text.replace("N: 3", "N: 9007199254740991"))).toThrow(/too large to be counted/);
  });

  it("prints", () => {
    expect(printProblem(matmulProblem({ rows: 1, inner: 8, columns: 2 })).split("\n")).toEqual([
      "matmul: N=1 M=2 C=8  (16 MACs)",
      "  Weights[M, C]  16 words of 8 bits, read-only",
      "  Inputs[N, C]  8 words of 8 bits, read-only",
      "  Outputs[N, M]  2 words of 16 bits, read-write",
    ]);
  });
});
