import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, liveOwner } from "./lock.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** The number of a process that has ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await new Promise((resolve) => child.once("exit", resolve));
  return child.pid!;
}

describe("the lock of a run folder", () => {
  it("is held by one at a time, and free again after its release", async () => {
    const lock = await acquireLock(folder);
    await expect(acquireLock(folder)).rejects.toThrow(
      `${folder}: another process is at work in this run folder: received process ${process.pid}`,
    );
    expect(await liveOwner(folder)).toMatchObject({ pid: process.pid });
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
    await (await acquireLock(folder)).release();
  });

  it("is taken over at once from a process that is gone", async () => {
    await writeFile(join(folder, "lock.3"), JSON.stringify({ pid: await endedProcess(), host: hostname() }));
    expect(await liveOwner(folder)).toBeUndefined();
    const lock = await acquireLock(folder);
    expect(await readdir(folder)).toEqual(["lock.4"]);
    await lock.release();
  });

  it("is taken over from an earlier process whose number a later one has", async () => {
    await writeFile(join(folder, "lock.1"), JSON.stringify({ pid: process.pid, host: hostname(), startedAt: "0" }));
    await (await acquireLock(folder)).release();
  });

  it("goes to one of several that try to take it over", async () => {
    await writeFile(join(folder, "lock.1"), JSON.stringify({ pid: await endedProcess(), host: hostname() }));
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(folder)));
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await readdir(folder)).toEqual(["lock.2"]);
  });

  it("is left to a process on another machine, with what to do", async () => {
    await writeFile(join(folder, "lock.1"), JSON.stringify({ pid: 1, host: "elsewhere" }));
    await expect(acquireLock(folder)).rejects.toThrow(/process 1 on elsewhere \(if it is no longer there, remove/);
  });

  it("names the folder where it cannot be written", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(acquireLock(join(folder, "file"))).rejects.toThrow("a part of the path is a file, not a folder");
  });
});
