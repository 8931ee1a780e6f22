import { environmentError, inputError, internalError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { commands } from "./commands/table.js";
import { exitCodes, Interrupted, outcomeOf } from "./terminal/exit-codes.js";
import { runCommand } from "./testing/run-command.js";

const io = {
  stdout: { write: () => undefined },
  stderr: { write: () => undefined },
  signal: new AbortController().signal,
  environment: {},
};

const created = await Promise.all(Object.values(commands).map(async (load) => (await load())(io)));
const names = created.flatMap((command) => [
  command.name(),
  ...command.commands.map((member) => `${command.name()} ${member.name()}`),
]);

describe("the program", () => {
  it("has the commands of the main job", () => {
    expect(names).toEqual(
      expect.arrayContaining([
        "search",
        "train",
        "eval",
        "predict",
        "map",
        "cost",
        "data",
        "data import",
        "data verify",
      ]),
    );
    expect(names).toEqual(expect.arrayContaining(["run list", "run show", "run verify", "run resume"]));
  });

  it.each(names)("explains %s, with examples", async (name) => {
    const { exitCode, stdout, stderr } = await runCommand([...name.split(" "), "--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: dovetail ${name}\\b`));
    expect(stdout).toContain(`\nExamples:\n  dovetail ${name}`);
    const isGroup = stdout.includes("\nCommands:");
    expect(stdout.includes("--json")).toBe(!isGroup);
    expect(stdout.includes("--quiet")).toBe(!isGroup);
  });

  it("names the nearest command and option, and leaves with 2", async () => {
    expect(await runCommand(["serch"])).toMatchObject({
      exitCode: 2,
      stderr: "error: unknown command 'serch'\n(Did you mean search?)\n",
    });
    expect(await runCommand(["run", "lst"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("list") });
    expect(await runCommand(["data", "veryfy"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("(Did you mean verify?)"),
    });
    expect(await runCommand(["eval", "--dat", "x"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("(Did you mean --data?)"),
    });
    expect(await runCommand(["eval", "a.onnx", "b.onnx"])).toMatchObject({ exitCode: 2 });
    expect(await runCommand([])).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it("refuses values that an option does not take", async () => {
    for (const line of ["search --seed -1", "search --seed x", "train --network resnet8 --epochs 0"]) {
      const { exitCode, stderr } = await runCommand(line.split(" "));
      expect(exitCode, line).toBe(2);
      expect(stderr).toContain("Expected a whole number, at least");
    }
    const { stderr } = await runCommand(["eval", "x", "--pixel-range", "1,0"]);
    expect(stderr).toContain("Expected two rising numbers, such as 0,1.");
  });

  it("tells failures as data with --json, beside the text", async () => {
    const failed = await runCommand(["data", "show", "mnst", "--json"]);
    expect(failed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("no data set is known by this name") });
    expect(JSON.parse(failed.stdout)).toEqual({
      exitCode: 2,
      diagnostics: [
        expect.objectContaining({ code: "unknown_dataset", received: '"mnst"', hint: 'did you mean "mnist"?' }),
      ],
    });
    const usage = await runCommand(["data", "show", "--json"]);
    expect(JSON.parse(usage.stdout)).toMatchObject({ exitCode: 2, diagnostics: [{ code: "usage", kind: "input" }] });
  });

  it("prints its version", async () => {
    expect((await runCommand(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("exit codes", () => {
  it("tell whose failure it is", () => {
    expect(outcomeOf(inputError("a", "bad file")).exitCode).toBe(exitCodes.badInput);
    expect(outcomeOf(environmentError("a", "disk full")).exitCode).toBe(exitCodes.failed);
    expect(outcomeOf(new Interrupted("go on")).exitCode).toBe(exitCodes.interrupted);
    const ours = outcomeOf(internalError("a", "impossible"));
    expect(ours.exitCode).toBe(exitCodes.internal);
    expect(ours.lines.join("\n")).toContain("please report it");
    expect(outcomeOf(new TypeError("x is not a function")).exitCode).toBe(exitCodes.internal);
    const missing = Object.assign(new Error("ENOENT"), { code: "ENOENT", path: "a/b" });
    expect(outcomeOf(missing)).toEqual({ exitCode: 2, lines: ["error: a/b: no such file or folder"] });
    expect(outcomeOf(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })).exitCode).toBe(exitCodes.failed);
  });
});
