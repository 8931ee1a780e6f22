import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../program.js";

const config = `[general]
run_name = example
[architecture_presets]
ArrayHeight: 32
ArrayWidth: 32
Dataflow: ws
[sparsity]
SparsitySupport: true
[run_presets]
InterfaceBandwidth: CALC
`;
const topology = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "scalesim-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function cost(rows: string, ...more: string[]): Promise<{ code: number; out: string; err: string }> {
  const [configFile, topologyFile] = [join(folder, "a.cfg"), join(folder, "t.csv")];
  await writeFile(configFile, config);
  await writeFile(topologyFile, `${topology}${rows}`);
  const result = { code: 0, out: "", err: "" };
  const io = {
    stdout: { write: (text: string) => (result.out += text) },
    stderr: { write: (text: string) => (result.err += text) },
    signal: new AbortController().signal,
    environment: {},
  };
  result.code = await run(["cost", "--from", "scalesim", configFile, topologyFile, ...more], io);
  return result;
}

describe("dovetail cost --from scalesim", () => {
  it("costs each layer as the tool reports it", async () => {
    const { code, out } = await cost("Conv1, 224, 224, 11, 11, 3, 96, 4,\n");
    expect(code).toBe(0);
    expect(out).toContain("112283");
    expect(out.trimEnd().split("\n").at(-1)).toBe(
      "total: 112283 cycles; systolic: SCALE-Sim's closed forms (1d62b68), no stalls",
    );
    const { out: json } = await cost("Conv1, 224, 224, 11, 11, 3, 96, 4,\n", "--json");
    expect(JSON.parse(json)).toMatchObject({ latencyCycles: 112_283, layers: [{ folds: 36 }] });
  });

  it("refuses pruned layers with their line, and a bad size with its column", async () => {
    const pruned = await cost("Conv1, 224, 224, 11, 11, 3, 96, 4, 1:4,\n");
    expect(pruned.code).toBe(2);
    expect(pruned.err).toContain("t.csv:2: Sparsity: the systolic model has no pruned weights");
    const bad = await cost("Conv1, 224, 224, 11, 11, none, 96, 4,\n");
    expect(bad.code).toBe(2);
    expect(bad.err).toContain("t.csv:2: Channels: not a size");
  });

  it("refuses other files than the two", async () => {
    const { code, err } = await cost("Conv1, 224, 224, 11, 11, 3, 96, 4,\n", "third.cfg");
    expect(code).toBe(2);
    expect(err).toContain("not the two files of SCALE-Sim: expected a configuration (.cfg) and a topology (.csv)");
  });
});
