import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runGolden } from "./run.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "golden-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A product of 4 × 8 with one memory: 32 words of each operand read, and so on. */
function executedSet(reads: number) {
  const counts = { partition: 8, instances: 1, temporal_reductions: 0, updates: 0, fills: 0 };
  return {
    architecture: { levels_outer_to_inner: [{ name: "DRAM" }, { name: "mac" }] },
    problem_shape: { dimensions: ["C", "M"], Weights: ["C", "M"], Inputs: ["C"], Outputs: ["M"] },
    cases: [
      {
        id: "case:0",
        problem_instance: { C: 8, M: 4 },
        mapping: [
          {
            level: "DRAM",
            temporal_outer_to_inner: [
              ["M", 4],
              ["C", 8],
            ],
            spatial_outer_to_inner: [],
            keep: ["Weights", "Inputs", "Outputs"],
          },
        ],
        expected: {
          mac: { computes_total: 32, cycles: 32, utilized_instances: 1 },
          DRAM: { Inputs: { ...counts, tile: 8, reads } },
        },
      },
    ],
  };
}

async function run(name: string, content: unknown): Promise<string[]> {
  const path = join(folder, name);
  const text = JSON.stringify(content);
  await writeFile(path, name.endsWith(".gz") ? gzipSync(text) : text);
  const lines: string[] = [];
  await runGolden(path, (line) => lines.push(line));
  return lines;
}

describe("golden runner", () => {
  it("passes, fails and skips, set by set", async () => {
    const sets = { timeloop_executed_random: executedSet(32), unheard_of: { cases: [1, 2, 3] } };
    expect(await run("all.json", { about: { sets: {} }, ...sets })).toEqual([
      "timeloop_executed_random: 1/0/0",
      "unheard_of: 0/0/3",
      "  3 skipped: no model covers this set yet",
      "1 passed, 0 failed, 3 skipped",
    ]);
  });

  it("says what was expected and found", async () => {
    expect(await run("timeloop_executed_random.json.gz", executedSet(33))).toEqual([
      "timeloop_executed_random: 0/1/0",
      "  failed case:0: DRAM Inputs reads: expected 33, found 32",
      "0 passed, 1 failed, 0 skipped",
    ]);
  });

  it("fails a case that cannot be mapped and goes on", async () => {
    const set = executedSet(32);
    const [good] = set.cases;
    const bad = { ...good!, id: "case:1", mapping: [{ ...good!.mapping[0]!, keep: ["Nothing"] }] };
    expect(await run("timeloop_executed_random.json", { ...set, cases: [bad, good!] })).toEqual([
      "timeloop_executed_random: 1/1/0",
      "  failed case:1: case: expected accepted, found levels[0].keep[0]: the problem has no such data space: " +
        "expected one of Weights, Inputs, Outputs, received Nothing",
      "1 passed, 1 failed, 0 skipped",
    ]);
  });

  it("takes a folder", async () => {
    await writeFile(join(folder, "README.md"), "not a golden file");
    await writeFile(join(folder, "timeloop_executed_random.json"), JSON.stringify(executedSet(32)));
    await writeFile(join(folder, "others.json.gz"), gzipSync("[1, 2]"));
    const lines: string[] = [];
    expect(await runGolden(folder, (line) => lines.push(line))).toEqual({ passed: 1, failed: 0, skipped: 2 });
    expect(lines[0]).toBe("others: 0/0/2");
  });

  it("names what is wrong with a file", async () => {
    const broken = { ...executedSet(32), cases: [{ id: 5 }] };
    await expect(run("timeloop_executed_random.json", broken)).rejects.toThrow(
      "timeloop_executed_random.cases[0].id: Invalid input: expected string, received number",
    );
    await writeFile(join(folder, "broken.json"), "{");
    await expect(runGolden(join(folder, "broken.json"), () => {})).rejects.toThrow("broken.json: not a JSON file");
    await expect(runGolden(join(folder, "absent.json"), () => {})).rejects.toThrow("ENOENT");
  });
});
