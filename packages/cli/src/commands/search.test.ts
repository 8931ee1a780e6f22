import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { runCommand } from "../testing/run-command.js";
import { filesIn, useTemporaryFolder } from "../testing/temporary-folder.js";
import { tinyEffort } from "../testing/tiny-effort.js";
import { writeTinyImages } from "../testing/tiny-images.js";
import { tinyClassifier } from "../testing/tiny-networks.js";

useTemporaryFolder();

const slow = { timeout: 300_000 };

beforeAll(() => {
  const data = writeTinyImages("images", { side: 12 });
  const effort = { ...tinyEffort, trainingMacs: 1.2e9, searchSteps: 3 };
  const common = { data, effort, constraints: {} };
  writeFileSync(
    "asic.yaml",
    stringify({
      ...common,
      name: "asic",
      target: { kind: "asic" },
      objective: "edp",
      constraints: { areaMm2: "reference" },
    }),
  );
  writeFileSync(
    "fpga.yaml",
    stringify({ ...common, name: "fpga", target: { kind: "fpga" }, objective: "framesPerSecond" }),
  );
  writeFileSync("own.onnx", tinyClassifier({ side: 12 }));
});

const results = [
  ...["accelerator.yaml", "metrics.json", "network.onnx", "recipe.yaml", "report.html", "search.json", "timing.json"],
  "weights.safetensors",
];

/** Contents of a run folder but for what depends on the clock. */
function bits(folder: string): Map<string, string> {
  return new Map(
    filesIn(folder)
      .filter((file) => file !== "timing.json")
      .map((file) => {
        const text = readFileSync(`${folder}/${file}`, "latin1");
        return [file, text.replaceAll(/(<pre class="clock">)[^<]*(<\/pre>)/g, "$1$2")];
      }),
  );
}

describe("dovetail search", () => {
  it("finds a network with its accelerator, the same after interruptions", slow, async () => {
    const alone = await runCommand(["search", "asic.yaml", "--run-folder", "alone", "--quiet"]);
    expect(alone).toMatchObject({ exitCode: 0, stderr: "" });
    expect(alone.stdout.trimEnd().split("\n").at(-1)).toBe("run: alone");
    expect(filesIn("alone").filter((file) => !file.startsWith("mappings/"))).toEqual(results);
    const metrics = JSON.parse(readFileSync("alone/metrics.json", "utf8"));
    expect(metrics.constraints).toMatchObject([{ name: "areaMm2", met: true }]);
    expect(metrics.baselines[0].name).toBe("resnet8");
    expect(metrics.command).toBe("dovetail search asic.yaml");
    expect(JSON.stringify(metrics)).not.toContain(process.cwd());

    let moments = 0;
    let line = ["search", "asic.yaml", "--run-folder", "broken"];
    for (;;) {
      const started = Date.now();
      // Each attempt is allowed a little more than the one before.
      const limit = 300 * ++moments;
      const { exitCode, stderr } = await runCommand(line, { interruptWhen: () => Date.now() - started > limit });
      if (exitCode === 0) break;
      expect(exitCode, stderr).toBe(130);
      expect(stderr).toContain("go on with: dovetail run resume broken");
      line = ["run", "resume", "broken"];
    }
    expect(moments).toBeGreaterThan(1);
    expect(bits("broken")).toEqual(bits("alone"));
  });

  it("leaves a run folder that holds what it says; what is changed afterwards is found", slow, async () => {
    const verified = await runCommand(["run", "verify", "alone", "--quiet"]);
    expect(verified.stdout).toBe(
      "holds  files\nholds  inputs\nholds  accuracy\nholds  mappings and cost\nholds  constraints\n",
    );
    expect(verified.exitCode).toBe(0);

    const spoil = async (change: (folder: string) => void): Promise<string> => {
      rmSync("spoilt", { recursive: true, force: true });
      cpSync("alone", "spoilt", { recursive: true });
      change("spoilt");
      const { exitCode, stdout } = await runCommand(["run", "verify", "spoilt", "--quiet"]);
      expect(exitCode).toBe(1);
      return stdout;
    };
    const edit = (file: string, from: RegExp | string, to: string) => (folder: string) => {
      const before = readFileSync(`${folder}/${file}`, "utf8");
      const after = before.replace(from, to);
      expect(after).not.toBe(before);
      writeFileSync(`${folder}/${file}`, after);
    };
    const [mapping] = filesIn("alone/mappings");
    expect(await spoil((folder) => rmSync(`${folder}/report.html`))).toContain("report.html is missing");
    expect(await spoil((folder) => writeFileSync(`${folder}/notes.txt`, ""))).toContain("notes.txt does not belong");
    expect(await spoil((folder) => rmSync(`${folder}/mappings/${mapping}`))).toContain(
      `mappings/${mapping} is missing`,
    );
    expect(await spoil(edit("metrics.json", /"energyPj": [\d.]+/, '"energyPj": 1'))).toContain(
      "hardware.energyPj: stated 1, found ",
    );
    expect(await spoil(edit("metrics.json", /"limit": [\d.]+/, '"limit": 0.001'))).toContain(
      "areaMm2: limit 0.001, found ",
    );
    expect(await spoil(edit("recipe.yaml", "seed: 0", "seed: 1"))).toContain("recipe.yaml: expected sha256 ");
    expect(await spoil(edit("accelerator.yaml", /entries: \d+/, "entries: 1"))).toMatch(/does not fit|stated/);
    expect(await spoil((folder) => writeFileSync(`${folder}/weights.safetensors`, "x"))).toContain(
      "weights.safetensors",
    );
  });

  it("finds a pipeline for an FPGA board", slow, async () => {
    const { exitCode, stdout } = await runCommand(["search", "fpga.yaml", "--run-folder", "fpga", "--quiet", "--json"]);
    expect(exitCode).toBe(0);
    const { metrics } = JSON.parse(stdout);
    expect(metrics.hardware).toMatchObject({ target: "ZC706", clockHz: 200e6 });
    expect(metrics.constraints.map(({ name, met }: { name: string; met: boolean }) => [name, met])).toEqual([
      ["dsp", true],
      ["bram", true],
    ]);
    const verified = await runCommand(["run", "verify", "fpga", "--quiet"]);
    expect(verified, verified.stdout).toMatchObject({ exitCode: 0 });
    const before = readFileSync("fpga/accelerator.yaml", "utf8");
    writeFileSync("fpga/accelerator.yaml", before.replace(/tileRows: \d+/, "tileRows: 3"));
    expect((await runCommand(["run", "verify", "fpga", "--quiet"])).stdout).toContain("FAILS  mappings and cost");
  });

  it("designs for the user's own network without training it", slow, async () => {
    const line = ["search", "asic.yaml", "--network", "own.onnx", "--run-folder", "own", "--quiet"];
    const { exitCode, stdout, stderr } = await runCommand(line);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("reference-accelerator");
    const metrics = JSON.parse(readFileSync("own/metrics.json", "utf8"));
    expect(metrics).toMatchObject({ effort: { trainingMacs: 0, optimizerSteps: 0 } });
    expect(Object.keys(metrics.inputs)).toContain("input.onnx");
    expect(filesIn("own/mappings")).toHaveLength(3);
    expect(await runCommand(["run", "verify", "own", "--quiet"])).toMatchObject({ exitCode: 0 });
    writeFileSync("coloured.onnx", tinyClassifier({ side: 12, channels: 3 }));
    const other = await runCommand(["search", "asic.yaml", "--network", "coloured.onnx", "--run-folder", "other"]);
    expect(other).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("--network: the network does not fit"),
    });
    expect(filesIn(".").filter((file) => file.startsWith("other"))).toEqual([]);
  });

  it("says what it would take where constraints cannot be met", slow, async () => {
    const line = ["search", "asic.yaml", "--network", "own.onnx", "--run-folder", "small", "--quiet"];
    const { exitCode, stderr } = await runCommand([...line, "--set", "constraints.areaMm2=0.001"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/constraints.*expected .*\d/);
  });
});

describe("dovetail run", () => {
  it("lists runs with how far they are", async () => {
    const { stdout } = await runCommand(["run", "list", "."]);
    expect(stdout).toMatch(/^run +state +accuracy +command\n/);
    expect(stdout).toMatch(/\nalone +done +\d+\.\d\d % +dovetail search asic\.yaml\n/);
    expect(JSON.parse((await runCommand(["run", "show", "alone", "--json"])).stdout)).toEqual(
      JSON.parse(readFileSync("alone/metrics.json", "utf8")),
    );
    expect(await runCommand(["search", "asic.yaml", "--run-folder", "alone"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("a finished run lies in this folder already"),
    });
  });
});
