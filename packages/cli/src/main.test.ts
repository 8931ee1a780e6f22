import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./testing/run-command.js";
import { filesIn, useTemporaryFolder } from "./testing/temporary-folder.js";
import { writeTinyImages } from "./testing/tiny-images.js";

// The built program as a process: signals, kills, pipes. `npm test` builds it first.
const program = fileURLToPath(new URL("../dist/main.js", import.meta.url));

useTemporaryFolder();
beforeAll(() => void writeTinyImages("images"));

const train = (folder: string): string[] => [
  ...["train", "--network", "resnet8", "--data", "idx:images", "--data-option", "classNames=[top, middle, bottom]"],
  ...["--epochs", "60", "--batch-size", "12", "--checkpoint-every", "5", "--run-folder", folder],
];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

function start(line: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, ...line], { stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr!.on("data", (piece: Buffer) => {
    stderr += piece.toString();
  });
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stderr }) as Ended);
  return { child, ended };
}

/** Waits for something that a process does to its run folder, and stops the process there. */
async function stopWhen({ child }: { child: ChildProcess }, holds: () => boolean): Promise<void> {
  while (!holds()) {
    if (child.exitCode !== null) throw new Error(`the process ended with ${child.exitCode} before it came to this`);
    await setTimeout(2);
  }
  child.kill("SIGSTOP");
}

const optimizerSteps = (folder: string): number =>
  existsSync(`${folder}/state/train.json`)
    ? JSON.parse(readFileSync(`${folder}/state/train.json`, "utf8")).state.optimizerSteps
    : 0;

describe.skipIf(!existsSync(program))("the program as a process", () => {
  it("goes on to the same bits after Ctrl-C and SIGKILL, and lets no second one in", { timeout: 120_000 }, async () => {
    await runCommand([...train("alone"), "--quiet"]);

    const first = start(train("broken"));
    await stopWhen(first, () => optimizerSteps("broken") > 0);
    first.child.kill("SIGINT");
    first.child.kill("SIGCONT");
    const interrupted = await first.ended;
    expect(interrupted, interrupted.stderr).toMatchObject({ code: 130 });
    expect(interrupted.stderr).toContain("stopping at the next step; once more to leave at once\n");
    expect(interrupted.stderr).toMatch(/\nwhat is done is kept; go on with: dovetail run resume broken\n$/);

    const before = optimizerSteps("broken");
    const second = start(["run", "resume", "broken", "--quiet"]);
    await stopWhen(second, () => optimizerSteps("broken") > before);
    const intruder = await runCommand(["run", "resume", "broken", "--quiet"]);
    expect(intruder).toMatchObject({ exitCode: 1, stdout: "" });
    expect(intruder.stderr).toContain(
      `another process is at work in this run folder: received process ${second.child.pid} `,
    );
    second.child.kill("SIGKILL");
    expect(await second.ended).toMatchObject({ signal: "SIGKILL" });
    expect(filesIn("broken").filter((name) => name.startsWith("lock."))).toHaveLength(1);

    const last = await runCommand(["run", "resume", "broken", "--quiet"]);
    expect(last).toMatchObject({ exitCode: 0, stderr: "" });
    expect(filesIn("broken")).toEqual(filesIn("alone"));
    for (const file of filesIn("alone").filter((name) => name !== "timing.json")) {
      expect(readFileSync(`broken/${file}`).equals(readFileSync(`alone/${file}`)), file).toBe(true);
    }
  });

  it("leaves at once when it is interrupted twice", { timeout: 60_000 }, async () => {
    const running = start(train("twice"));
    await stopWhen(running, () => optimizerSteps("twice") > 0);
    running.child.kill("SIGTERM");
    running.child.kill("SIGINT");
    running.child.kill("SIGCONT");
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(await runCommand(["run", "resume", "twice", "--quiet"])).toMatchObject({ exitCode: 0 });
  });

  it("is content when the reader of a pipe leaves early, and says so when its output cannot be written", () => {
    const shell = (command: string) => spawnSync("sh", ["-c", command], { encoding: "utf8" });
    const call = `"${process.execPath}" "${program}" data`;
    expect(shell(`${call} | head -1`)).toMatchObject({ status: 0, stderr: "" });
    if (!existsSync("/dev/full")) return;
    expect(shell(`${call} > /dev/full`)).toMatchObject({ status: 1, stderr: "error: no space left on the disk\n" });
  });
});
