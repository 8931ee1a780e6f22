// For tests only: bad problems, architectures and mappings.
import { mkdirSync, writeFileSync } from "node:fs";
import { convolutionProblem, eyerissLike, writeArchitecture, writeProblem } from "@dovetail/hardware";
import { writeTinyImages } from "../../../testing/tiny-images.js";
import { tinyClassifier } from "../../../testing/tiny-networks.js";
import type { BadInputs } from "./bad-input.js";

const problem = writeProblem(
  convolutionProblem({
    name: "conv",
    inputChannels: 4,
    outputChannels: 8,
    outputHeight: 8,
    outputWidth: 8,
    kernelHeight: 3,
    kernelWidth: 3,
  }),
);

const architecture = `name: small
clockMhz: 200
levels:
  - name: DRAM
    storage: { widthBits: 64, readPj: 200, writePj: 200 }
  - name: buffer
    storage: { entries: 128, widthBits: 64, readPj: 5, writePj: 5 }
    fanout: { x: 4, y: 1 }
compute: { energyPj: 0.2 }
`;

const mapping = `levels:
  - level: DRAM
    keep: [Weights, Inputs, Outputs]
    temporal: [P=8, Q=8, M=2]
  - level: buffer
    keep: [Weights, Inputs, Outputs]
    temporal: [C=4, R=3, S=3]
    spatialX: [M=4]
`;

interface Documents {
  readonly problem?: readonly [string | RegExp, string];
  readonly architecture?: readonly [string | RegExp, string];
  readonly mapping?: readonly [string | RegExp, string];
}

const documents = (changes: Documents) => (): void => {
  const changed = (text: string, change: readonly [string | RegExp, string] | undefined): string => {
    const result = change ? text.replace(...change) : text;
    if (change && result === text) throw new Error(`nothing to replace: ${change[0]}`);
    return result;
  };
  writeFileSync("conv.yaml", changed(problem, changes.problem));
  writeFileSync("small.yaml", changed(architecture, changes.architecture));
  writeFileSync("m.yaml", changed(mapping, changes.mapping));
};

const cost = "cost --problem conv.yaml --arch small.yaml --mapping m.yaml";

const network = (arch: string) => (): void => {
  writeFileSync("net.onnx", tinyClassifier());
  writeFileSync("small.yaml", arch);
};

function recipe(constraints: string): void {
  writeTinyImages("images");
  writeFileSync("net.onnx", tinyClassifier());
  writeFileSync(
    "mine.yaml",
    `name: mine
data: { kind: idx, path: images, classNames: [top, middle, bottom] }
target: { kind: asic }
constraints: { ${constraints} }
objective: edp
effort: { trainingMacs: 1.0e+9, searchSteps: 1, finalAcceleratorEvaluations: 3, mapperEvaluations: 3, finalMapperEvaluations: 5 }
`,
  );
}

export const badHardware: BadInputs = {
  title: "Problems, architectures, mappings, constraints",
  inputs: [
    { what: "a layer of size zero", prepare: documents({ problem: ["M: 8", "M: 0"] }), line: cost, exitCode: 2 },
    {
      what: "a dimension that there is not",
      prepare: documents({ problem: ["- P + R", "- P + K"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "a projection that is no sum",
      prepare: documents({ problem: ["- P + R", "- P * R"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "an unknown field of a memory",
      prepare: documents({ architecture: ["entries: 128", "entrys: 128"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "a negative energy",
      prepare: documents({ architecture: ["energyPj: 0.2", "energyPj: -0.2"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "an array without columns",
      prepare: documents({ architecture: ["x: 4", "x: 0"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "an outermost level that holds nothing",
      prepare: documents({
        architecture: ["    storage: { widthBits: 64, readPj: 200, writePj: 200 }\n", "    fanout: { x: 2 }\n"],
      }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "two levels of one name",
      prepare: documents({ architecture: ["name: buffer", "name: DRAM"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "a mapping for another architecture",
      prepare: documents({ mapping: ["level: buffer", "level: scratchpad"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "a loop over an unknown dimension",
      prepare: documents({ mapping: ["C=4", "K=4"] }),
      line: cost,
      exitCode: 2,
    },
    { what: "a loop that cannot be read", prepare: documents({ mapping: ["C=4", "C in 4"] }), line: cost, exitCode: 2 },
    {
      what: "loops that leave out iterations",
      prepare: documents({ mapping: ["C=4", "C=2"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "more columns than the array has",
      prepare: documents({ architecture: ["x: 4", "x: 2"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "tiles that exceed a memory",
      prepare: documents({ architecture: ["entries: 128", "entries: 2"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "a tensor that is kept nowhere",
      prepare: documents({ mapping: [/keep: \[Weights, Inputs, Outputs\]/g, "keep: [Weights, Inputs]"] }),
      line: cost,
      exitCode: 2,
    },
    {
      what: "a count that there is not",
      prepare: documents({}),
      line: `${cost} --explain bufer.Inputs.reads`,
      exitCode: 2,
    },
    {
      what: "hardware on which no layer fits",
      prepare: network(
        writeArchitecture(eyerissLike())
          .replace(/entries: 24$/m, "entries: 1")
          .replace(/wordBits: 24$/m, "wordBits: 48"),
      ),
      line: "map --network net.onnx --arch small.yaml --evaluations 50 --quiet",
      exitCode: 2,
    },
    {
      what: "a network's mapping that is missing",
      prepare: () => {
        network(architecture)();
        mkdirSync("mappings");
      },
      line: "cost --network net.onnx --arch small.yaml --mappings mappings",
      exitCode: 2,
    },
    {
      what: "an area that no accelerator has",
      prepare: () => recipe("areaMm2: 0.01"),
      line: "search mine.yaml --network net.onnx --run-folder run --quiet",
      exitCode: 2,
    },
    {
      what: "more frames a second than can be reached",
      prepare: () => recipe("framesPerSecond: 1.0e+9"),
      line: "search mine.yaml --network net.onnx --run-folder run --quiet",
      exitCode: 2,
    },
  ],
};
