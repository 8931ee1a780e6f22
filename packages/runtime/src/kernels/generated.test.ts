import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("what is committed is what the source compiles to", async () => {
  const script = new URL("../../assembly/compile.mjs", import.meta.url).href;
  const { compiledModule } = (await import(script)) as { compiledModule: () => Promise<string> };
  expect(readFileSync(new URL("generated/adder-wasm.ts", import.meta.url), "utf8")).toBe(await compiledModule());
});
