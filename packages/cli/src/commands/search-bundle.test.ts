import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { runCommand } from "../testing/run-command.js";
import { filesIn, useTemporaryFolder } from "../testing/temporary-folder.js";
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
  write("switchable", { precision: "switchable", precisions: [4, 8, 32] });
  write("rps", { defence: "rps", precisions: [4, 6, 8] });
});

it.each([
  ["switchable", [4, 8, 32]],
  ["rps", [4, 6, 8]],
] as const)("dovetail search with %s gives a bundle that is what it says", slow, async (name, bits) => {
  const run = await runCommand(["search", `${name}.yaml`, "--run-folder", name, "--quiet"]);
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  const expected = bits.flatMap((width) => [`precision-${width}/mappings.yaml`, `precision-${width}/network.onnx`]);
  expect(filesIn(`${name}/bundle`).sort()).toEqual(["accelerator.yaml", "bundle.json", ...expected].sort());
  const index = JSON.parse(readFileSync(`${name}/bundle/bundle.json`, "utf8"));
  expect(index.precisions.map((precision: { bits: number }) => precision.bits)).toEqual([...bits]);
  expect(index.defence).toEqual(name === "rps" ? { kind: "rps", set: [...bits] } : undefined);
  const edp = index.precisions.map(({ cost }: { cost: { edpJouleSeconds: number } }) => cost.edpJouleSeconds);
  expect(edp[0]).toBeLessThan(edp.at(-1));
  // The run's own network is the bundle's at 8 bit.
  expect(readFileSync(`${name}/network.onnx`)).toEqual(readFileSync(`${name}/bundle/precision-8/network.onnx`));
  const verified = await runCommand(["run", "verify", name, "--quiet"]);
  expect(verified.stdout).toBe(
    "holds  files\nholds  inputs\nholds  accuracy\nholds  mappings and cost\nholds  constraints\nholds  bundle\n",
  );

  const file = `${name}/bundle/precision-4/network.onnx`;
  writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from("x")]));
  const damaged = await runCommand(["run", "verify", name, "--quiet"]);
  expect(damaged.exitCode).toBe(1);
  expect(damaged.stdout).toContain("precision-4/network.onnx: the file has changed since the bundle was written");
});

it("what is no switchable recipe is refused, with the field", async () => {
  const text = readFileSync("switchable.yaml", "utf8");
  writeFileSync("without-8.yaml", text.replace("- 8\n", "- 7\n"));
  const { exitCode, stderr } = await runCommand(["search", "without-8.yaml", "--quiet"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("precisions: 8 is missing");
});
