import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandomStream, DovetailError, restoreRandomStream, workerUrl } from "@dovetail/core";
import { tensor } from "@dovetail/graph";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { randomStreamStateSchema, readCheckpoint, removeCheckpoint, writeCheckpoint } from "./checkpoint.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-"));
});

afterEach(() => rm(folder, { recursive: true }));

const checkpointOf = (step: number) => ({
  tensors: new Map([["w", tensor("float32", [4], [step, step, step, step])]]),
  state: { step },
});

test("tensors, counters and random streams come back, and only the newest files stay", async () => {
  expect(await readCheckpoint(folder, "search")).toBeUndefined();
  const random = createRandomStream(7);
  random.uniform();
  await writeCheckpoint(folder, "search", checkpointOf(1));
  await writeCheckpoint(folder, "other", checkpointOf(5));
  const second = { ...checkpointOf(2), state: { step: 2, random: random.state() } };
  await writeCheckpoint(folder, "search", { ...second, state: JSON.parse(JSON.stringify(second.state)) });
  const read = (await readCheckpoint(folder, "search"))!;
  expect(read.tensors).toEqual(second.tensors);
  const state = z.object({ step: z.number(), random: randomStreamStateSchema }).parse(read.state);
  expect(state.step).toBe(2);
  expect(restoreRandomStream(state.random).uniform()).toBe(random.uniform());
  const files = await readdir(folder);
  expect(files.filter((file) => file.startsWith("search")).length).toBe(2);
  expect(files.length).toBe(4);
  await removeCheckpoint(folder, "search");
  expect((await readdir(folder)).every((file) => file.startsWith("other"))).toBe(true);
});

test("equal checkpoints are equal files", async () => {
  await writeCheckpoint(folder, "a", checkpointOf(1));
  const names = (await readdir(folder)).sort();
  const before = await Promise.all(names.map((name) => readFile(join(folder, name))));
  await writeCheckpoint(folder, "a", checkpointOf(2));
  await writeCheckpoint(folder, "a", checkpointOf(1));
  expect((await readdir(folder)).sort()).toEqual(names);
  expect(await Promise.all(names.map((name) => readFile(join(folder, name))))).toEqual(before);
});

test("what a killed process left behind is cleared by the next write, other files are not touched", async () => {
  await writeCheckpoint(folder, "a", checkpointOf(1));
  const stale = [".a.json.1-2.tmp", ".a.0123456789abcdef.safetensors.1-2.tmp", "a.0123456789abcdef.safetensors"];
  const foreign = [".ab.json.1-2.tmp", "a.b.safetensors", "axb.json", "notes.txt"];
  for (const name of [...stale, ...foreign]) await writeFile(join(folder, name), "x");
  await writeCheckpoint(folder, "a", checkpointOf(2));
  const files = await readdir(folder);
  expect(files).toEqual(expect.arrayContaining(foreign));
  for (const name of stale) expect(files).not.toContain(name);
});

test("missing and changed files are named", async () => {
  await writeCheckpoint(folder, "a", checkpointOf(1));
  const tensors = join(folder, (await readdir(folder)).find((name) => name.endsWith(".safetensors"))!);
  const bytes = await readFile(tensors);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(tensors, bytes);
  await expect(readCheckpoint(folder, "a")).rejects.toThrow(
    /\.safetensors: .*changed since they were written: expected sha256/,
  );
  await unlink(tensors);
  await expect(readCheckpoint(folder, "a")).rejects.toThrow(/tensors are missing \(a\.json refers to this file\)/);
  await writeFile(join(folder, "a.json"), '{"format": "dovetail checkpoint", "version": 1}');
  await expect(readCheckpoint(folder, "a")).rejects.toThrow(/a\.json: tensors: checkpoint description does not fit/);
  await writeFile(join(folder, "a.json"), "{");
  await expect(readCheckpoint(folder, "a")).rejects.toThrow(/a\.json: checkpoint description is not JSON/);
  await expect(readCheckpoint(folder, "../a")).rejects.toThrow(/unusable checkpoint name.*"\.\.\/a"/);
});

test("a sidecar cannot be edited, nor point outside of its folder", async () => {
  await writeCheckpoint(folder, "a", checkpointOf(1));
  const path = join(folder, "a.json");
  const sidecar = JSON.parse(await readFile(path, "utf8"));
  sidecar.state.step = 2;
  await writeFile(path, JSON.stringify(sidecar));
  await expect(readCheckpoint(folder, "a")).rejects.toThrow(/a\.json: .*has changed since it was written/);
  sidecar.tensors.file = "../../etc/a.safetensors";
  await writeFile(path, JSON.stringify(sidecar));
  await expect(readCheckpoint(folder, "a")).rejects.toThrow(/a\.json: tensors\.file: /);
});

test("a damaged checkpoint is refused with a DovetailError, never anything else, and never read as another", async () => {
  await writeCheckpoint(folder, "a", checkpointOf(1));
  const names = await readdir(folder);
  const originals = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const damage = fc.record({
    file: fc.nat(1),
    position: fc.nat(),
    byte: fc.integer({ min: 0, max: 255 }),
    cut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ file, position, byte, cut }) => {
      const original = originals[file]!;
      const changed = cut ? original.subarray(0, position % original.length) : Buffer.from(original);
      if (!cut) changed[position % original.length] = byte;
      const path = join(folder, names[file]!);
      await writeFile(path, changed);
      try {
        const read = await readCheckpoint(folder, "a");
        if (names[file]!.endsWith(".safetensors")) expect(changed.equals(original)).toBe(true);
        expect(read).toEqual(checkpointOf(1));
      } catch (error) {
        expect(error).toBeInstanceOf(DovetailError);
      } finally {
        await writeFile(path, original);
      }
    }),
    { numRuns: 300 },
  );
});

/** Writes checkpoints 1, 2, 3 … until it is killed. */
const writer = `
  import { writeCheckpoint } from ${JSON.stringify(workerUrl(import.meta.url, "./checkpoint.js").href)};
  const [folder, first] = process.argv.slice(1);
  for (let step = Number(first); ; step++) {
    const data = new Float32Array(20_000).fill(step);
    const tensors = new Map([["w", { elementType: "float32", dimensions: [20_000], data }]]);
    await writeCheckpoint(folder, "a", { tensors, state: { step } });
    if (step === Number(first)) console.log("started");
  }
`;

async function startWriter(first: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", writer, folder, String(first)]);
  let complaint = "";
  child.stderr.on("data", (text) => {
    complaint += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", () => reject(new Error(`the writer ended: ${complaint}`)));
  });
  return child;
}

test("SIGKILL at any moment leaves the previous checkpoint or the new one", async () => {
  const random = createRandomStream(11);
  let step = 1;
  for (let kill = 0; kill < 10; kill++) {
    const child = await startWriter(step);
    await new Promise((resolve) => setTimeout(resolve, random.uniform() * 40));
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    const { tensors, state } = (await readCheckpoint(folder, "a"))!;
    const read = (state as { step: number }).step;
    expect(read).toBeGreaterThanOrEqual(step);
    expect(new Set(tensors.get("w")!.data as Float32Array)).toEqual(new Set([read]));
    step = read + 1;
  }
  await writeCheckpoint(folder, "a", checkpointOf(step));
  expect((await readdir(folder)).length).toBe(2);
});
