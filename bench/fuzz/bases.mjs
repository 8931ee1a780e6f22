// What is mutated: small documents that fit together, and small networks.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandomStream } from "@dovetail/core";
import { GraphBuilder, modelOf, tensor, writeModel } from "@dovetail/graph";
import {
  convolutionProblem,
  eyerissLike,
  mapLayer,
  matmulProblem,
  readArchitecture,
  writeArchitecture,
  writeMapping,
  writeProblem,
} from "@dovetail/hardware";

const example = (name) => readFileSync(new URL(`../../examples/hardware/${name}.yaml`, import.meta.url), "utf8");

/** Problem, architecture and mapping as texts. */
function documentBases() {
  const architectures = [eyerissLike(), readArchitecture(example("small-8x8"))];
  const sizes = {
    inputChannels: 6,
    outputChannels: 8,
    outputHeight: 7,
    outputWidth: 9,
    kernelHeight: 3,
    kernelWidth: 3,
  };
  const problems = [
    convolutionProblem({ name: "conv", ...sizes }),
    convolutionProblem({ name: "strided", ...sizes, strideHeight: 2, strideWidth: 3, dilationHeight: 2 }),
    convolutionProblem({ name: "grouped", ...sizes, groups: 2 }),
    matmulProblem({ rows: 6, inner: 20, columns: 9 }),
  ];
  const made = architectures.flatMap((architecture) =>
    problems.flatMap((problem) =>
      ["timeloop", "exact"].map((model) => {
        const result = mapLayer(problem, architecture, { random: createRandomStream(1), evaluations: 60, model });
        if (!result.ok) throw new Error(`no mapping of ${problem.name} on ${architecture.name}`);
        return {
          problem: writeProblem(problem),
          architecture: writeArchitecture(architecture),
          mapping: writeMapping(result.mapping),
        };
      }),
    ),
  );
  return [
    ...made,
    { problem: example("conv3x3"), architecture: example("small-8x8"), mapping: example("weight-stationary") },
  ];
}

const floats = (dims) =>
  tensor("float32", dims, new Array(dims.reduce((product, size) => product * size, 1)).fill(0.5));

/** Networks as graphs: convolutions of all sorts, matrix products, what lies between. */
function networkBases() {
  const build = (name, fill) => {
    const g = new GraphBuilder(name);
    fill(g);
    return writeModel(modelOf(g.build()));
  };
  return [
    build("convolutions", (g) => {
      const x = g.input("x", "float32", [1, 3, 12, 12]);
      const y = g.op("Conv", [x, g.constant(floats([4, 3, 3, 3]))], { pads: [1, 1, 1, 1], strides: [2, 2] });
      const z = g.op("Conv", [g.op("Relu", [y]), g.constant(floats([4, 1, 3, 3]))], { group: 4, dilations: [2, 2] });
      g.output(g.op("GlobalAveragePool", [z]), "out");
    }),
    build("products", (g) => {
      const x = g.input("x", "float32", ["batch", 10]);
      const y = g.op("Gemm", [x, g.constant(floats([6, 10])), g.constant(floats([6]))], { transB: 1 });
      g.output(g.op("MatMul", [g.op("Relu", [y]), g.constant(floats([6, 4]))]), "out");
    }),
    build("attention", (g) => {
      const x = g.input("x", "float32", [1, 5, 8]);
      const scores = g.op("MatMul", [x, g.op("Transpose", [x], { perm: [0, 2, 1] })]);
      g.output(g.op("MatMul", [g.op("Softmax", [scores], { axis: -1 }), x]), "out");
    }),
    build("pooled", (g) => {
      const x = g.input("x", "float32", ["batch", 2, 9, 9]);
      const y = g.op("MaxPool", [g.op("Conv", [x, g.constant(floats([5, 2, 1, 3]))])], { kernel_shape: [2, 2] });
      const flat = g.op("Flatten", [y]);
      g.output(g.op("Gemm", [flat, g.constant(floats([240, 3]))]), "out");
    }),
  ];
}

/** Bytes of a network that hold its structure: all but the long runs of equal weights. */
function structureOf(bytes) {
  const half = [0, 0, 0, 0x3f];
  return Array.from(bytes.keys()).filter((at) => !half.includes(bytes[at]) || at % 4 === 0);
}

/** Everything that cases start from; a folder holds what they do not change. `command` runs a command line. */
export async function prepareBases(folder, command) {
  const architecture = join(folder, "eyeriss.yaml");
  const architectureText = writeArchitecture(eyerissLike());
  writeFileSync(architecture, architectureText);
  const networks = [];
  for (const [index, bytes] of networkBases().entries()) {
    const path = join(folder, `network${index}.onnx`);
    const mappings = join(folder, `mappings${index}`);
    writeFileSync(path, bytes);
    const line = ["map", "--network", path, "--arch", architecture, "--evaluations", "50", "--quiet", "-o", mappings];
    const { exitCode, stderr } = await command(line);
    if (exitCode !== 0) throw new Error(stderr);
    networks.push({ path, bytes, where: structureOf(bytes), mappings });
  }
  return { documents: documentBases(), networks, architecture, architectureText, network: networks[0].path };
}
