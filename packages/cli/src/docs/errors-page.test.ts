import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, expect, it, vi } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { filesIn, useTemporaryFolder } from "../testing/temporary-folder.js";
import type { BadInput } from "./testing/bad-inputs/bad-input.js";
import { badBenchmarks } from "./testing/bad-inputs/benchmarks.js";
import { badCommandLines } from "./testing/bad-inputs/command-lines.js";
import { badHardware } from "./testing/bad-inputs/hardware.js";
import { badData } from "./testing/bad-inputs/images-and-data.js";
import { badNetworks } from "./testing/bad-inputs/networks.js";
import { badRecipes } from "./testing/bad-inputs/recipes.js";
import { badSurroundings } from "./testing/bad-inputs/surroundings.js";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// The catalogue of bad inputs: each goes through the program, and docs/errors.md shows what it said.
// Brought up to date by: npx vitest run packages/cli/src/docs -u

/** What files meet when they are written: the disk that is full, locked or not ours. */
const disk = vi.hoisted(() => ({ failure: undefined as string | undefined }));

vi.mock("node:fs/promises", async (original) => {
  const actual = await original<typeof import("node:fs/promises")>();
  const failure = (): NodeJS.ErrnoException => Object.assign(new Error(disk.failure), { code: disk.failure });
  return {
    ...actual,
    async open(...args: Parameters<typeof actual.open>) {
      const [, flags] = args;
      const isWritten = typeof flags === "string" && flags !== "r";
      if (disk.failure === undefined || !isWritten) return actual.open(...args);
      if (disk.failure !== "ENOSPC") throw failure();
      const handle = await actual.open(...args);
      // A full disk takes the name of a file, but not its contents.
      handle.write = () => Promise.reject(failure());
      return handle;
    },
  };
});

useTemporaryFolder();

const kinds = [badCommandLines, badRecipes, badNetworks, badData, badHardware, badBenchmarks, badSurroundings];
const rows = new Map<string, string[][]>(kinds.map(({ title }) => [title, []]));
const cases = kinds.flatMap(({ title, inputs }) => inputs.map((input) => [title, input.what, input] as const));

/** Contents of all files, to tell whether anything was left or changed. */
const contents = (): Map<string, string> => new Map(filesIn(".").map((name) => [name, readFileSync(name, "latin1")]));

async function refused(input: BadInput): Promise<string> {
  const parent = process.cwd();
  mkdirSync("case");
  process.chdir("case");
  try {
    await input.prepare?.();
    const before = contents();
    disk.failure = input.writing;
    const { exitCode, stdout, stderr } = await runCommand(input.line.split(" "), { environment: input.environment });
    disk.failure = undefined;
    expect(exitCode, stderr).toBe(input.exitCode);
    expect(stdout).toBe("");
    expect(contents(), "files after it").toEqual(before);
    return withoutMachine(stderr.replaceAll(`${process.cwd()}/`, "").replaceAll(parent, ""));
  } finally {
    disk.failure = undefined;
    process.chdir(parent);
    rmSync("case", { recursive: true });
  }
}

/** Numbers of processes, and hashes of weights, which differ from one kind of machine to another. */
function withoutMachine(text: string): string {
  return text
    .replaceAll(`process ${process.pid}`, "process 4711")
    .replaceAll(/[0-9a-f]{64}/g, "5f2e…")
    .replaceAll(/\.[0-9a-f]{16}\./g, ".5f2e….");
}

/** Progress and remarks are not what the page is about. */
function errorLines(stderr: string): string[] {
  const lines = stderr.trimEnd().split("\n");
  return lines.slice(lines.findIndex((line) => line.startsWith("error: ")));
}

it.each(cases)("%s: %s", async (title, what, input) => {
  const lines = errorLines(await refused(input));
  expect(lines[0]).toMatch(/^error: /);
  rows.get(title)!.push([what, code(`dovetail ${input.line}`), lines.map(code).join("<br>"), `${input.exitCode}`]);
});

const code = (text: string): string => `\`${text.replaceAll("`", "'")}\``;

it("are at least forty, and docs/errors.md has the message of each", async () => {
  expect(cases.length).toBeGreaterThanOrEqual(40);
  const header = ["What is wrong", "Command", "What it says", "Exit code"];
  const tables = Object.fromEntries([...rows].map(([title, entries]) => [title, markdownTable(header, entries)]));
  await expect(pageWithTables("errors.md", tables)).toMatchFileSnapshot(pageFile("errors.md"));
});

afterAll(() => vi.restoreAllMocks());
