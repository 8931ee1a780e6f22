import { writeFileSync } from "node:fs";
import { GraphBuilder, modelOf, type TensorAnnotation, tensor, writeModel } from "@dovetail/graph";
import { eyerissLike, writeArchitecture } from "@dovetail/hardware";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

useTemporaryFolder();

/** Two convolutions of 12 to 12 channels on 6 × 6, the weights annotated. */
function network(annotations: readonly TensorAnnotation[]): Uint8Array {
  const g = new GraphBuilder("net");
  let x = g.input("x", "float32", ["batch", 12, 6, 6]);
  for (const [index, annotation] of annotations.entries()) {
    const w = g.constant(tensor("float32", [12, 12, 3, 3], new Float32Array(12 * 12 * 9)), `w${index}`);
    g.annotate(w, annotation);
    x = g.relu(g.conv(x, w, undefined, { pads: [1, 1, 1, 1] }));
  }
  g.output(x, "y");
  return writeModel(modelOf(g.build()));
}

const structured = {
  columns: 3,
  rows: 12 * 36,
  keptRows: 200,
  bases: 12,
  nonZeroCoefficients: 500,
  coefficientBitWidth: 4,
  basisBitWidth: 8,
};

beforeAll(() => {
  writeFileSync("plain.onnx", network([{}, {}]));
  writeFileSync("compressed.onnx", network([{ structured }, {}]));
  writeFileSync("shift.onnx", network([{ powerOfTwo: true, bitWidth: 5 }, {}]));
  writeFileSync("plain.yaml", writeArchitecture(eyerissLike()));
  writeFileSync("rebuilding.yaml", writeArchitecture(eyerissLike({ rebuildsWeights: true, operations: ["shift"] })));
});

interface Result {
  readonly energyPj: number;
  readonly layers: readonly {
    readonly cost: { readonly energyPj: number; readonly compute: { readonly energyPj: number } };
  }[];
}

async function mapOn(network: string, target: readonly string[], output?: string): Promise<Result> {
  const folder = output === undefined ? [] : ["-o", output];
  const run = await runCommand([
    "map",
    "--network",
    network,
    ...target,
    "--evaluations",
    "60",
    "--quiet",
    "--json",
    ...folder,
  ]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  return JSON.parse(run.stdout);
}

describe("a network whose tensors are annotated", () => {
  it.each([
    ["--arch", "rebuilding.yaml"],
    ["--accelerator", "smartexchange"],
  ])("is charged its compressed weights, the same by map and by cost: %s %s", async (...target) => {
    const mapped = await mapOn("compressed.onnx", target, "mappings");
    const costed = await runCommand([
      "cost",
      "--network",
      "compressed.onnx",
      ...target,
      "--mappings",
      "mappings",
      "--json",
    ]);
    expect(JSON.parse(costed.stdout)).toEqual(mapped);
    const plain = await mapOn("plain.onnx", target);
    expect(mapped.layers[0]!.cost.energyPj).toBeLessThan(plain.layers[0]!.cost.energyPj);
    expect(mapped.layers[1]!.cost).toEqual(plain.layers[1]!.cost);
  });

  it("is dense where nothing rebuilds weights", async () => {
    const target = ["--arch", "plain.yaml"];
    expect(await mapOn("compressed.onnx", target)).toEqual(await mapOn("plain.onnx", target));
  });

  it("is charged shifts, on units for them and on a machine of three kinds of units", async () => {
    for (const target of [
      ["--arch", "rebuilding.yaml"],
      ["--accelerator", "shiftaddnet"],
    ]) {
      const { layers } = await mapOn("shift.onnx", target);
      const [shift, multiply] = layers.map(({ cost }) => cost.compute.energyPj);
      expect(shift! / multiply!).toBeCloseTo(958 / 1497, 9);
    }
  });
});
