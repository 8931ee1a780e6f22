import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { benchmarkFiles } from "@dovetail/nasbench";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { edgeTpuFront, mapResNet18 } from "./jobs.js";

const root = fileURLToPath(new URL(".", import.meta.url));
const executablePath = process.env.DOVETAIL_CHROMIUM ?? "/usr/bin/chromium";
const tables = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(root, "../../packages/nasbench/data", name)));
const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };

let folder: string;
let server: Server;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dovetail-page-"));
  await build({
    root,
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["source", "module", "browser", "production"] },
    build: { outDir: folder, target: "esnext", modulePreload: false },
    worker: { format: "es" },
  });
  server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    const bytes =
      path === "/cells" || path === "/fbnet"
        ? tables(benchmarkFiles[path.slice(1) as keyof typeof benchmarkFiles])
        : readFileSync(join(folder, path === "/" ? "index.html" : path));
    response.setHeader(
      "content-type",
      types[extname(path === "/" ? "index.html" : path)] ?? "application/octet-stream",
    );
    response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Calls a function that the page gave to its global object. */
const inPage = <T>(name: string, argument?: unknown): Promise<T> =>
  page.evaluate(
    ([key, value]) =>
      (globalThis as never as { dovetail: Record<string, (x: unknown) => T> }).dovetail[key as string]!(value),
    [name, argument] as const,
  );

describe("a page without Node", () => {
  it("maps ResNet-18's layers in a web worker to the bits of Node, and goes on drawing meanwhile", async () => {
    const job = { seed: 7, evaluations: 400 };
    const found = await inPage<{ layers: unknown; frames: number; reports: number }>("mapInWorker", job);
    const expected = mapResNet18(job);
    expect(expected).toHaveLength(21);
    expect(found.layers).toEqual(expected);
    expect(found.reports).toBeGreaterThan(0);
    expect(found.frames).toBeGreaterThan(0);
  });

  it("answers from HW-NAS-Bench's bundled tables", async () => {
    const expected = await edgeTpuFront({ cells: tables(benchmarkFiles.cells), fbnet: tables(benchmarkFiles.fbnet) });
    expect(expected.length).toBeGreaterThan(5);
    expect(await inPage("front")).toEqual(expected);
  });

  it("logs no error", () => {
    expect(complaints).toEqual([]);
  });
});
