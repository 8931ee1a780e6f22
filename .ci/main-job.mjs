// The main job as a user runs it: `npm start`, then what it made is held against what it says.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";

function run(command, args) {
  const result = spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  process.stdout.write(result.stdout);
  return result;
}

function check(holds, what) {
  if (holds) return;
  console.error(`main job: ${what}`);
  process.exitCode = 1;
}

rmSync("runs", { recursive: true, force: true });
const started = Date.now();
const start = run("npm", ["start", "--silent"]);
check(start.status === 0, `npm start exited with ${start.status}`);
const lastLine = start.stdout.trimEnd().split("\n").at(-1);
const folder = /^run: (.+)$/.exec(lastLine)?.[1];
check(folder !== undefined, `last line of stdout is "${lastLine}", expected "run: PATH"`);
if (folder !== undefined) {
  for (const file of [
    "recipe.yaml",
    "network.onnx",
    "weights.safetensors",
    "accelerator.yaml",
    "mappings",
    "metrics.json",
    "timing.json",
    "report.html",
  ]) {
    check(existsSync(`${folder}/${file}`), `${file} is missing in ${folder}`);
  }
  const metrics = JSON.parse(readFileSync(`${folder}/metrics.json`, "utf8"));
  check(
    metrics.constraints.every(({ met }) => met),
    "a constraint is not met",
  );
  check(metrics.task.testImages === 10000, `${metrics.task.testImages} test images`);
  check(run("node", ["packages/cli/dist/main.js", "run", "verify", folder]).status === 0, "run verify failed");
  console.log(
    `main job: accuracy ${metrics.task.accuracyFraction}, wall ${Math.round((Date.now() - started) / 1000)} s`,
  );
}
