import { writeFileSync } from "node:fs";
import { convolutionProblem, writeProblem } from "@dovetail/hardware";
import { beforeAll, expect, it } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";

useTemporaryFolder();

const layer = ["cost", "--problem", "conv.yaml", "--arch", "arch.yaml", "--mapping", "m.yaml", "--compare"];

beforeAll(() => {
  const sizes = { inputChannels: 2, outputChannels: 2, outputHeight: 5, outputWidth: 4 };
  writeFileSync(
    "conv.yaml",
    writeProblem(convolutionProblem({ name: "conv", ...sizes, kernelHeight: 3, kernelWidth: 1 })),
  );
  writeFileSync(
    "arch.yaml",
    `name: two
levels:
  - { name: DRAM, storage: { widthBits: 8, readPj: 10, writePj: 10 } }
  - { name: buffer, storage: { entries: 64, widthBits: 8, readPj: 1, writePj: 1 } }
compute: { energyPj: 1 }
`,
  );
  writeFileSync(
    "m.yaml",
    `levels:
  - { level: DRAM, keep: [Weights, Inputs, Outputs], temporal: [C=2, M=2, P=3] }
  - { level: buffer, keep: [Weights, Inputs, Outputs], temporal: [P=2, Q=4, R=3] }
`,
  );
});

it("says where the models differ and why", async () => {
  const { exitCode, stdout } = await runCommand(layer);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("timeloop: of the layer padded to P=6");
  // Timeloop: 2 channels and 2 filters, each time 4 rows of 4 words and twice 2 rows more.
  expect(stdout).toMatch(
    /DRAM\.Inputs\.reads: timeloop 128, exact \d+\n( {2}[−+]\d+ {2}.*\n)* {2}−\d+ {2}remainders: /,
  );
});

it("gives the same as data, with parts that add up", async () => {
  const { differences } = JSON.parse((await runCommand([...layer, "--json"])).stdout);
  expect(differences.length).toBeGreaterThan(0);
  for (const { timeloop, exact, parts } of differences) {
    const sum = parts.reduce((total: number, { words }: { words: number }) => total + words, 0);
    expect(sum).toBe(exact - timeloop);
  }
});

it("refuses what the model exact refuses", async () => {
  writeFileSync("m.yaml", "levels:\n  - { level: DRAM, keep: [Weights, Inputs, Outputs] }\n  - { level: buffer }\n");
  const { exitCode, stderr } = await runCommand(layer);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("m.yaml");
});
