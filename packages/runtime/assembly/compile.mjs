// Compiles the kernels. `node packages/runtime/assembly/compile.mjs` writes src/kernels/generated/adder-wasm.ts, which is
// committed, so that building and running need Node and TypeScript alone; a test holds it against the source.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const options = ["-O3", "--converge", "--noAssert", "--runtime", "stub", "--memoryBase", "1024"];
const memory = ["--importMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"];
const features = ["--enable", "simd", "--enable", "threads"];

/** The module that is committed, from the source that is there. */
export async function compiledModule() {
  const source = readFileSync(new URL("adder.ts", import.meta.url), "utf8");
  const files = new Map();
  const { error, stderr } = await asc.main(["adder.ts", "-o", "adder.wasm", ...options, ...memory, ...features], {
    readFile: (name) => (name === "adder.ts" ? source : null),
    writeFile: (name, contents) => {
      files.set(name, contents);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
  return `// Made from assembly/adder.ts by assembly/compile.mjs.

/** The kernels as a WebAssembly module, in base64. */
export const adderWasm =
  "${Buffer.from(files.get("adder.wasm")).toString("base64")}";
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL("../src/kernels/generated/adder-wasm.ts", import.meta.url), await compiledModule());
}
