/**
 * Where a worker's compiled module lies. Workers are started by Node itself, which does not read TypeScript: when the
 * calling module runs from `src` (under vitest), the worker is taken from `dist`, which `npm test` has built.
 */
export function workerUrl(moduleUrl: string, relativePath: string): URL {
  const isSource = moduleUrl.endsWith(".ts");
  return new URL(relativePath, isSource ? moduleUrl.replace(/\/src\/(?!.*\/src\/)/, "/dist/") : moduleUrl);
}
