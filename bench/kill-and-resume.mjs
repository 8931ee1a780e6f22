// Kills the job of a recipe at random moments and resumes it each time: the run folder must end with the bits of a job
// that was left alone. Usage: node bench/kill-and-resume.mjs [--kills 20] [--recipe recipes/tiny.yaml] [--seed 1]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    recipe: { type: "string", default: "recipes/tiny.yaml" },
    seed: { type: "string", default: "1" },
  },
});
const kills = Number(values.kills);
const program = ["packages/cli/dist/main.js"];
const parent = mkdtempSync(join(tmpdir(), "dovetail-kill-"));

/** sha256 of every file but timing.json; report.html without the text of its elements of class `clock`. */
function digests(folder) {
  const found = new Map();
  const visit = (path) => {
    for (const entry of readdirSync(path).sort()) {
      const file = join(path, entry);
      if (statSync(file).isDirectory()) visit(file);
      else if (entry !== "timing.json")
        found.set(relative(folder, file), createHash("sha256").update(content(file)).digest("hex"));
    }
  };
  visit(folder);
  return found;
}

function content(file) {
  const bytes = readFileSync(file);
  if (!file.endsWith("report.html")) return bytes;
  return bytes.toString("utf8").replace(/(<(\w+)[^>]*class="[^"]*\bclock\b[^"]*"[^>]*>)[^<]*(<\/\2>)/g, "$1$3");
}

function start(args) {
  return spawn("node", [...program, ...args, "--quiet"], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Runs for at most `limitMs`, then SIGKILL. True when it ended by itself, successfully. */
function runFor(args, limitMs) {
  return new Promise((resolve, reject) => {
    const child = start(args);
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (signal === "SIGKILL") resolve(false);
      else if (code === 0) resolve(true);
      else reject(new Error(`${args.join(" ")} exited with ${code}`));
    });
  });
}

const alone = join(parent, "alone");
const begun = Date.now();
const first = spawnSync(
  "node",
  [...program, "search", values.recipe, "--seed", values.seed, "--run-folder", alone, "--quiet"],
  {
    stdio: ["ignore", "ignore", "inherit"],
  },
);
if (first.status !== 0) throw new Error(`the job left alone exited with ${first.status}`);
const duration = Date.now() - begun;
const expected = digests(alone);

const killed = join(parent, "killed");
let count = 0;
let finished = false;
while (count < kills && !finished) {
  // Moments are random on purpose: what they are must not matter.
  const limit = 300 + Math.random() * Math.max(1500, duration / 3);
  const args = existsSync(killed)
    ? ["run", "resume", killed]
    : ["search", values.recipe, "--seed", values.seed, "--run-folder", killed];
  finished = await runFor(args, limit);
  if (!finished) count++;
  if (finished && count < kills) {
    compare();
    rmSync(killed, { recursive: true, force: true });
    finished = false;
  }
}
if (!existsSync(killed))
  await runFor(["search", values.recipe, "--seed", values.seed, "--run-folder", killed], 2 ** 30);
else if (!finished) await runFor(["run", "resume", killed], 2 ** 30);
compare();
rmSync(parent, { recursive: true, force: true });
console.log(`${count} kills, ${expected.size} files: same bits as the job left alone`);

function compare() {
  const found = digests(killed);
  const different = [...new Set([...expected.keys(), ...found.keys()])].filter(
    (name) => expected.get(name) !== found.get(name),
  );
  if (different.length > 0) {
    console.error(`after ${count} kills these differ: ${different.join(", ")} (kept: ${parent})`);
    process.exit(1);
  }
}
