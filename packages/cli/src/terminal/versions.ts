import { readFileSync } from "node:fs";

/** Versions that results depend on. */
export interface Versions {
  readonly dovetail: string;
  readonly node: string;
  readonly onnxruntime: string;
}

/** The version of this package. It lies at the same depth below `src` and `dist`. */
export function dovetailVersion(): string {
  return versionIn(new URL("../../package.json", import.meta.url));
}

/** The versions at work in this process. */
export async function currentVersions(): Promise<Versions> {
  const { onnxRuntimeVersion } = await import("@dovetail/runtime");
  return { dovetail: dovetailVersion(), node: process.versions.node, onnxruntime: await onnxRuntimeVersion() };
}

function versionIn(file: URL): string {
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
