import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { dovetailVersion } from "../terminal/versions.js";

/** Commit of the source that is running, with `-dirty` where files differ from it; the version outside a checkout. */
export async function sourceCommit(): Promise<string> {
  const cwd = dirname(fileURLToPath(import.meta.url));
  const git = async (...args: string[]): Promise<string> => (await promisify(execFile)("git", args, { cwd })).stdout;
  try {
    const commit = (await git("rev-parse", "--short", "HEAD")).trim();
    const changes = await git("status", "--porcelain", "--untracked-files=no", "--", "..", "../../../*/src");
    return changes.trim() === "" ? commit : `${commit}-dirty`;
  } catch {
    return `version ${dovetailVersion()}`;
  }
}

/** The processor and the number of its cores that are ours. */
export function machineName(): string {
  const all = cpus();
  return `${all[0]?.model.trim() ?? "unknown processor"}, ${all.length} ${all.length === 1 ? "core" : "cores"}`;
}
