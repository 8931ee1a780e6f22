import { readFileSync, writeFileSync } from "node:fs";
import { decodePacked, encodePacked } from "@dovetail/compress";
import { readModel } from "@dovetail/graph";
import { extractWorkloads } from "@dovetail/hardware";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyEffort } from "../testing/tiny-effort.js";
import { writeTinyImages } from "../testing/tiny-images.js";

useTemporaryFolder();

const slow = { timeout: 600_000 };

beforeAll(() => {
  const common = {
    data: writeTinyImages("images", { side: 12 }),
    effort: tinyEffort,
    target: { kind: "asic" },
    objective: "edp",
  };
  const write = (name: string, fields: object): void =>
    writeFileSync(`${name}.yaml`, stringify({ ...common, name, ...fields }));
  write("compressed", { compress: "smartexchange" });
  // With this seed the search takes shift layers, add layers and convolutions.
  write("hybrid", { seed: 1, search: { operators: "convolution-shift-add" } });
  write("both", { compress: "smartexchange", precision: "switchable" });
  write("fpga", { compress: "smartexchange", target: { kind: "fpga" }, objective: "framesPerSecond" });
});

interface Costs {
  readonly energyPj: number;
  readonly latencyCycles: number;
  readonly layers: readonly { readonly cost: { readonly compute: object } }[];
}

async function costOf(folder: string): Promise<Costs> {
  const files = ["--network", `${folder}/network.onnx`, "--arch", `${folder}/accelerator.yaml`];
  const run = await runCommand(["cost", ...files, "--mappings", `${folder}/mappings`, "--json"]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  return JSON.parse(run.stdout);
}

it.each(["compressed", "hybrid"])(
  "dovetail search with %s weights states what dovetail cost finds",
  slow,
  async (name) => {
    expect(await runCommand(["search", `${name}.yaml`, "--run-folder", name, "--quiet"])).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    const { hardware } = JSON.parse(readFileSync(`${name}/metrics.json`, "utf8"));
    const { energyPj, latencyCycles } = await costOf(name);
    expect(energyPj / hardware.energyPj).toBeCloseTo(1, 12);
    expect(latencyCycles).toBe(hardware.latencyCycles);
    expect(await runCommand(["run", "verify", name, "--quiet"])).toMatchObject({ exitCode: 0 });
  },
);

it("a hybrid network's shifts and additions are counted as such", () => {
  const { layers } = extractWorkloads(readModel(readFileSync("hybrid/network.onnx")).graph, { batchSize: 1 });
  const operations = layers.map(({ problem }) => problem.operation ?? "multiply");
  expect(new Set(operations)).toEqual(new Set(["multiply", "shift", "add"]));
});

it("dovetail run verify notices packed weights that are not the network's", slow, async () => {
  const accelerator = readFileSync("compressed/accelerator.yaml", "utf8");
  expect(accelerator).toContain("rebuild:");
  const packed = decodePacked(readFileSync("compressed/weights.packed"));
  const tensors = new Map(packed.tensors);
  const [name, tensor] = [...tensors].find(([, { kind }]) => kind === "structured")!;
  if (tensor.kind !== "structured") throw new Error("not structured");
  tensors.set(name, { ...tensor, layer: { ...tensor.layer, bases: tensor.layer.bases.map((value) => -value) } });
  writeFileSync("compressed/weights.packed", encodePacked({ ...packed, tensors }));
  const { stdout } = await runCommand(["run", "verify", "compressed", "--quiet"]);
  expect(stdout).toContain(`${name}: the packed weights are not the network's`);
});

it.each([
  ["both", "precision", "not together with compress"],
  ["fpga", "compress", "does not rebuild weights"],
])("refuses what does not go together: %s", async (name, field, message) => {
  const { exitCode, stderr } = await runCommand(["search", `${name}.yaml`, "--run-folder", `${name}-run`, "--quiet"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(field);
  expect(stderr).toContain(message);
});
