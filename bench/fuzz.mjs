// Mutated documents and networks through the commands `cost` and `map`, mutated packed networks through `compress`, in this process's worker: no crash (exit code
// 70), no case over ten seconds of processor time, no result that breaks an invariant (capacity, fan-out, all
// multiply-accumulates done). Usage: npm run fuzz -- [--cases 10000] [--seed 1] [--from 0] [--kind yaml|onnx|packed] [--json]
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    kind: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const cases = Number(values.cases);
const first = Number(values.from);
const seed = Number(values.seed);
const kinds = values.kind === undefined ? ["yaml", "onnx", "packed"] : [values.kind];

/** A case may take so much processor time. */
const HANG_SECONDS = 10;
/** Without a word for so long a case is given up. Other work on the machine may slow it down. */
const SILENCE_SECONDS = 120;

/** Runs the cases of a kind one after another; a worker that dies or hangs is replaced and its case counted. */
function runKind(kind) {
  const outcome = { kind, cases: 0, exitCodes: {}, faults: [], slowest: { case: -1, seconds: 0 } };
  return new Promise((resolve) => {
    let next = first;
    const start = () => {
      if (next >= first + cases) {
        resolve(outcome);
        return;
      }
      const worker = new Worker(new URL("fuzz/worker.mjs", import.meta.url), {
        workerData: { kind, seed, first: next, end: first + cases },
        resourceLimits: { maxOldGenerationSizeMb: 2048 },
      });
      let timer;
      const giveUp = (what, detail) => {
        clearTimeout(timer);
        outcome.faults.push({ case: next, what, detail });
        outcome.cases++;
        next++;
        worker.removeAllListeners();
        worker.terminate().then(start);
      };
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => giveUp("hang", `silent for ${SILENCE_SECONDS} s`), SILENCE_SECONDS * 1000);
      };
      watch();
      worker.on("message", ({ index, exitCode, seconds, faults, detail }) => {
        watch();
        outcome.cases++;
        outcome.exitCodes[exitCode] = (outcome.exitCodes[exitCode] ?? 0) + 1;
        if (seconds > outcome.slowest.seconds) outcome.slowest = { case: index, seconds };
        for (const what of faults) outcome.faults.push({ case: index, what, detail });
        if (seconds > HANG_SECONDS) outcome.faults.push({ case: index, what: "hang", detail });
        next = index + 1;
        if (outcome.cases % 1000 === 0) process.stderr.write(`${kind}: ${outcome.cases} of ${cases}\n`);
      });
      worker.on("error", (error) => giveUp("death", String(error)));
      worker.on("exit", () => {
        clearTimeout(timer);
        if (next >= first + cases) resolve(outcome);
        else giveUp("death", "the worker ended");
      });
    };
    start();
  });
}

const outcomes = [];
for (const kind of kinds) outcomes.push(await runKind(kind));
const faults = outcomes.reduce((sum, outcome) => sum + outcome.faults.length, 0);
if (values.json) console.log(JSON.stringify({ seed, outcomes }, null, 2));
else {
  for (const { kind, cases: done, exitCodes, faults: found, slowest } of outcomes) {
    const codes = Object.entries(exitCodes).map(([code, count]) => `${count} with exit code ${code}`);
    console.log(
      `${kind}: ${done} cases (${codes.join(", ")}), ${found.length} faults, slowest ${slowest.seconds.toFixed(2)} s`,
    );
    for (const { case: index, what, detail } of found.slice(0, 20)) {
      console.log(
        `  --kind ${kind} --seed ${seed} --from ${index} --cases 1: ${what}\n    ${String(detail).slice(0, 600)}`,
      );
    }
  }
}
process.exitCode = faults > 0 ? 1 : 0;
