import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { environmentError } from "@dovetail/core";
import { isPresent, writeError } from "@dovetail/train";
import { z } from "zod";
import { isLockName } from "./layout.js";

// One process at a time works in a run folder. Locks are files lock.1, lock.2, …: the one with the highest number
// counts, as long as its process lives. Taking over from a dead process means making the next number, which only one of
// several can do. Whoever has made one looks again, and steps back where another has come in between.

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  host: z.string(),
  /** When the process started, in the system's own count: tells it from a later process with the same number. */
  startedAt: z.string().optional(),
});

type Owner = z.infer<typeof ownerSchema>;

/** A folder that this process holds. */
export interface RunLock {
  release(): Promise<void>;
}

/**
 * Takes the folder for this process, also from a process that is no longer there. Throws the environment error
 * `run_in_use` while another lives.
 */
export async function acquireLock(folder: string): Promise<RunLock> {
  const mine: Owner = { pid: process.pid, host: hostname(), startedAt: await processStart(process.pid) };
  const draft = join(folder, `.lock.${process.pid}-${drafts++}.tmp`);
  try {
    for (;;) {
      const highest = Math.max(0, ...(await lockNumbers(folder)));
      if (highest > 0) await requireGone(folder, join(folder, `lock.${highest}`));
      const path = join(folder, `lock.${highest + 1}`);
      // A link appears with its contents, or not at all. Whoever holds the folder may clear drafts away.
      await writeFile(draft, JSON.stringify(mine));
      if (!(await linkIfPossible(draft, path))) continue;
      await clearOthers(folder, path);
      return { release: () => rm(path, { force: true }) };
    }
  } catch (error) {
    throw writeError(folder, error);
  } finally {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

let drafts = 0;

/** Removes the locks of dead processes; where another one lives, this one steps back. */
async function clearOthers(folder: string, mine: string): Promise<void> {
  for (const number of await lockNumbers(folder)) {
    const other = join(folder, `lock.${number}`);
    if (other === mine) continue;
    try {
      await requireGone(folder, other);
    } catch (error) {
      await rm(mine, { force: true });
      throw error;
    }
    await rm(other, { force: true });
  }
}

/** Makes the folder where it is missing; false where there is something of that name. */
export async function makeNewFolder(path: string): Promise<boolean> {
  return mkdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

/** The process at work in a run folder, if there is one. */
export async function liveOwner(folder: string): Promise<{ pid: number; host: string } | undefined> {
  const highest = Math.max(0, ...(await lockNumbers(folder)));
  const owner = highest > 0 ? await readOwner(join(folder, `lock.${highest}`)) : undefined;
  return owner && (await isAlive(owner)) ? { pid: owner.pid, host: owner.host } : undefined;
}

async function lockNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder);
  return names.filter(isLockName).map((name) => Number(name.slice("lock.".length)));
}

/** False when `to` is there already, or `from` no longer. */
async function linkIfPossible(from: string, to: string): Promise<boolean> {
  return link(from, to).then(
    () => true,
    async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      if (error.code === "ENOENT" && (await isPresent(dirname(to)))) return false;
      throw error;
    },
  );
}

async function requireGone(folder: string, lock: string): Promise<void> {
  const owner = await readOwner(lock);
  if (!owner || !(await isAlive(owner))) return;
  const elsewhere = owner.host === hostname() ? "" : ` on ${owner.host}`;
  throw environmentError("run_in_use", "another process is at work in this run folder", {
    file: folder,
    received: `process ${owner.pid}${elsewhere}`,
    hint: elsewhere
      ? `if it is no longer there, remove ${lock}`
      : "wait for it to end, or choose another folder with --run-folder",
  });
}

/** Undefined when the lock is gone by now, or is none. */
async function readOwner(lock: string): Promise<Owner | undefined> {
  const text = await readFile(lock, "utf8").catch(() => "");
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Of processes on other machines nothing is known: they count as alive. */
async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const start = await processStart(owner.pid);
  return start === undefined || owner.startedAt === undefined ? start !== dead : start === owner.startedAt;
}

const dead = "dead";

/** On Linux the clock tick at which a process started, `dead` for one that only waits to be noticed; else undefined. */
async function processStart(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The command's name, in parentheses, may hold anything: the fields count from its end.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields?.[0] === "Z" || fields?.[0] === "X") return dead;
  return fields?.[19];
}
