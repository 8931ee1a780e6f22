// For tests only: an empty current folder.
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** Runs all tests of a file in a new folder, which is removed after them. */
export function useTemporaryFolder(): void {
  const before = process.cwd();
  beforeAll(() => process.chdir(mkdtempSync(join(tmpdir(), "dovetail-cli-"))));
  afterAll(() => {
    const folder = process.cwd();
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });
}

/** All files in a folder and below, by their paths from there, sorted. */
export function filesIn(folder: string): string[] {
  const visit = (path: string): string[] =>
    readdirSync(path).flatMap((name) => {
      const file = join(path, name);
      return statSync(file).isDirectory() ? visit(file) : [relative(folder, file)];
    });
  return visit(folder).sort();
}
