// Two processes measured in turn, so that what the machine does else hits both: each answers lines of JSON.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createRandomStream } from "@dovetail/core";

/** A process that answers a line of JSON to each line. */
export async function start(label, command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = (errors + chunk).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((_, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${label} ended with ${code}: ${errors.trim()}`)));
  });
  ended.catch(() => undefined);
  const next = async () => {
    const { value, done } = await Promise.race([lines.next(), ended]);
    return done ? ended : JSON.parse(value);
  };
  const ready = await next();
  return {
    ...ready,
    ask: (line) => {
      child.stdin.write(`${line}\n`);
      return next();
    },
    stop: () => {
      child.removeAllListeners("exit");
      child.kill();
    },
  };
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
export const median = (numbers) => {
  const order = sorted(numbers);
  return (order[(order.length - 1) >> 1] + order[order.length >> 1]) / 2;
};

/** Percentile bootstrap of the ratio of medians, over rounds: neighbours in time stay together. */
export function ratioInterval95(ours, peer) {
  const random = createRandomStream(1);
  const ratios = Array.from({ length: 4000 }, () => {
    const picked = ours.map(() => random.integer(ours.length));
    return median(picked.map((index) => ours[index])) / median(picked.map((index) => peer[index]));
  });
  const order = sorted(ratios);
  return [order[Math.floor(0.025 * order.length)], order[Math.ceil(0.975 * order.length) - 1]];
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Steps of all sides in turn; the pause lets a side's threads stop spinning before the other's turn. */
export async function inTurn(sides, count) {
  const answers = sides.map(() => []);
  for (let index = 0; index < count; index++) {
    for (const [side, { ask }] of sides.entries()) {
      answers[side].push(await ask("step"));
      await pause();
    }
  }
  return answers;
}
