// One kind of fuzz cases, one after another. Each case depends on the seed and its number alone.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { createRandomStream } from "@dovetail/core";
import { run } from "../../packages/cli/dist/index.js";
import { prepareBases } from "./bases.mjs";
import { documentCase } from "./document-case.mjs";
import { brokenInvariants } from "./invariants.mjs";
import { networkCase } from "./network-case.mjs";
import { packedBases, packedCase } from "./packed-case.mjs";

const { kind, seed, first, end } = workerData;
const folder = mkdtempSync(join(tmpdir(), "dovetail-fuzz-"));
const makeCase = { yaml: documentCase, onnx: networkCase, packed: packedCase }[kind];

async function command(argv) {
  let stdout = "";
  let stderr = "";
  const exitCode = await run(argv, {
    stdout: { write: (text) => (stdout += text), columns: 100 },
    stderr: { write: (text) => (stderr += text), columns: 100 },
    signal: new AbortController().signal,
    environment: {},
  });
  return { exitCode, stdout, stderr };
}

/** What is wrong with how a command ended. */
function faultsOf({ exitCode, stdout, stderr }, test) {
  if (exitCode === 70) return ["crash"];
  if (exitCode === 2) return stderr.startsWith("error: ") ? [] : ["an error without a message"];
  if (exitCode !== 0) return [`exit code ${exitCode}`];
  return brokenInvariants(test, stdout);
}

try {
  const bases = kind === "packed" ? { packed: packedBases() } : await prepareBases(folder, command);
  const random = createRandomStream(seed).split(kind);
  for (let index = first; index < end; index++) {
    const place = join(folder, "case");
    mkdirSync(place);
    const test = makeCase(bases, random.split(String(index)), place);
    const started = process.cpuUsage();
    const result = await command(test.argv);
    const { user, system } = process.cpuUsage(started);
    const faults = faultsOf(result, test);
    parentPort.postMessage({
      index,
      exitCode: result.exitCode,
      seconds: (user + system) / 1e6,
      faults,
      detail: `${test.argv.join(" ")}: ${result.stderr || result.stdout.slice(0, 400)}`,
    });
    rmSync(place, { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
