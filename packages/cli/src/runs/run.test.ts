import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensorFromData } from "@dovetail/graph";
import type { Checkpoint } from "@dovetail/train";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunRecord } from "./record.js";
import { type BeginOptions, beginRun, resumeRun } from "./run.js";

const record: RunRecord = {
  format: "dovetail run",
  version: 1,
  kind: "search",
  command: "dovetail search tiny",
  versions: { dovetail: "0.1.0", node: "20", onnxruntime: "1" },
  baseFolder: "/",
  provider: "cpu",
};
const checkpoint: Checkpoint = {
  tensors: new Map([["w", tensorFromData("float32", [2], Float32Array.of(1, 2))]]),
  state: { step: 3 },
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-run-"));
});
afterEach(() => rm(folder, { recursive: true }));

const options = (changes: Partial<BeginOptions> = {}): BeginOptions => ({
  folder: join(folder, "run"),
  name: "tiny-seed0",
  record,
  files: new Map([["recipe.yaml", "name: tiny\n"]]),
  ...changes,
});

describe("a run", () => {
  it("begins with what was asked for, keeps checkpoints, and ends with results alone", async () => {
    const run = await beginRun(options());
    expect((await readdir(run.folder)).sort()).toEqual(["lock.1", "recipe.yaml", "state"]);
    expect(await run.stages.load("search")).toBeUndefined();
    await run.stages.save("search", checkpoint);
    expect(await run.stages.load("search")).toEqual(checkpoint);
    await run.finish(
      new Map([
        ["metrics.json", "{}\n"],
        ["mappings/conv1.yaml", "levels: []\n"],
      ]),
    );
    await run.close("kept");
    expect((await readdir(run.folder)).sort()).toEqual(["mappings", "metrics.json", "recipe.yaml"]);
    expect(await readFile(join(run.folder, "mappings/conv1.yaml"), "utf8")).toBe("levels: []\n");
    expect(await resumeRun(run.folder)).toBeUndefined();
    await expect(beginRun(options())).rejects.toThrow("a finished run lies in this folder already");
  });

  it("goes on where it was left, with the record that it began with", async () => {
    const run = await beginRun(options());
    await run.stages.save("search", checkpoint);
    await run.close("kept");
    await writeFile(join(run.folder, ".metrics.json.99-1.tmp"), "half");
    const again = await resumeRun(run.folder);
    expect(again).toMatchObject({ record, isResumed: true });
    expect(await again!.stages.load("search")).toEqual(checkpoint);
    expect(again!.stopwatch.read().resumptions).toBe(1);
    expect(await readdir(run.folder)).not.toContain(".metrics.json.99-1.tmp");
    await again!.close("kept");
    const same = await beginRun(options({ record: { ...record, command: "dovetail search ./tiny.yaml" } }));
    expect(same.record.command).toBe("dovetail search tiny");
    await same.close("kept");
  });

  it("refuses a folder in which another run lies unfinished, or another process works", async () => {
    const run = await beginRun(options());
    await expect(resumeRun(run.folder)).rejects.toThrow("another process is at work in this run folder");
    await run.close("kept");
    await expect(beginRun(options({ files: new Map([["recipe.yaml", "name: other\n"]]) }))).rejects.toThrow(
      "another, unfinished run lies in this folder (recipe.yaml differs)",
    );
  });

  it("finishes cleaning up where it was killed after its last result", async () => {
    const run = await beginRun(options());
    await writeFile(join(run.folder, "metrics.json"), "{}\n");
    await run.close("kept");
    expect(await resumeRun(run.folder)).toBeUndefined();
    expect((await readdir(run.folder)).sort()).toEqual(["metrics.json", "recipe.yaml"]);
  });

  it("takes away what it began when it fails before it has done anything, and nothing else", async () => {
    await (await beginRun(options())).close("failed");
    expect(await readdir(folder)).toEqual([]);
    await mkdir(join(folder, "run"));
    await (await beginRun(options())).close("failed");
    expect(await readdir(join(folder, "run"))).toEqual([]);
    const run = await beginRun(options());
    await run.stages.save("search", checkpoint);
    await run.close("failed");
    expect((await readdir(run.folder)).sort()).toEqual(["recipe.yaml", "state"]);
  });

  it("begins in no folder that holds other things, and says when there is nothing to resume", async () => {
    await writeFile(join(folder, "thesis.tex"), "");
    await expect(beginRun(options({ folder }))).rejects.toThrow(
      `${folder}: the folder holds files that belong to no run: expected a new or an empty folder, received thesis.tex`,
    );
    expect(await readdir(folder)).toEqual(["thesis.tex"]);
    await expect(resumeRun(folder)).rejects.toThrow("no run was begun in this folder");
    await expect(beginRun(options({ folder: join(folder, "thesis.tex", "run") }))).rejects.toThrow(
      "a part of the path is a file, not a folder",
    );
  });

  it("numbers folders where none is named", async () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const names: string[] = [];
      for (let index = 0; index < 3; index++) {
        const run = await beginRun(options({ folder: undefined }));
        names.push(run.folder);
        await run.close("kept");
      }
      expect(names).toEqual(["runs/tiny-seed0", "runs/tiny-seed0-2", "runs/tiny-seed0-3"]);
    } finally {
      process.chdir(before);
    }
  });
});
