import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DovetailError } from "@dovetail/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { temporaryTarget, writeFileAtomically } from "./atomic-file.js";

/** Makes the next writes fail as the system does, after some bytes. */
const failure = vi.hoisted(() => ({ code: undefined as string | undefined }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof import("node:fs/promises")>();
  const open = async (path: string, flags: string) => {
    const handle = await original.open(path, flags);
    const { code } = failure;
    if (code === undefined || flags !== "w") return handle;
    return {
      write: async (piece: Uint8Array) => {
        await handle.write(piece, 0, 1);
        throw Object.assign(new Error(code), { code });
      },
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  };
  return { ...original, open };
});

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-"));
});

afterEach(async () => {
  failure.code = undefined;
  await rm(folder, { recursive: true });
});

test("writes text, bytes and pieces, into folders that are made", async () => {
  const path = join(folder, "a", "b", "file");
  for (const contents of ["é", Uint8Array.of(0xc3, 0xa9), [Uint8Array.of(0xc3), Uint8Array.of(0xa9)]]) {
    await rm(path, { force: true });
    await writeFileAtomically(path, contents);
    expect(await readFile(path, "utf8")).toBe("é");
  }
  expect(await readdir(join(folder, "a", "b"))).toEqual(["file"]);
});

test.each([
  ["ENOSPC", "disk_full", /no space left to write: received ENOSPC/],
  ["EDQUOT", "disk_full", /no space left to write/],
  ["EFBIG", "disk_full", /file larger than the system allows/],
  ["EROFS", "not_writable", /file system is read-only/],
  ["EACCES", "not_writable", /cannot write here/],
  ["EIO", "write_failed", /cannot write: received EIO/],
])("%s in the middle of a write keeps the old file and leaves no other", async (code, diagnosticCode, message) => {
  const path = join(folder, "file");
  await writeFile(path, "before");
  failure.code = code;
  const error = await writeFileAtomically(path, "after").catch((reason: unknown) => reason as DovetailError);
  expect(error).toBeInstanceOf(DovetailError);
  expect((error as DovetailError).diagnostics[0]).toMatchObject({
    code: diagnosticCode,
    kind: "environment",
    file: path,
  });
  expect((error as DovetailError).message).toMatch(message);
  expect(await readFile(path, "utf8")).toBe("before");
  expect(await readdir(folder)).toEqual(["file"]);
});

test("a file where a folder should be, and a folder where the file should be, are named", async () => {
  await writeFile(join(folder, "file"), "");
  await expect(writeFileAtomically(join(folder, "file", "x"), "")).rejects.toThrow(/a part of the path is a file/);
  await writeFileAtomically(join(folder, "taken", "x"), "");
  await expect(writeFileAtomically(join(folder, "taken"), "")).rejects.toThrow(/there is a folder of this name/);
  expect((await readdir(folder)).sort()).toEqual(["file", "taken"]);
});

test("temporary files are recognised by their name", () => {
  expect(temporaryTarget(".state.json.123-4.tmp")).toBe("state.json");
  expect(temporaryTarget("state.json")).toBeUndefined();
  expect(temporaryTarget(".state.json.tmp")).toBeUndefined();
});
