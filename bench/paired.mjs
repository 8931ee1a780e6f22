// Two processes measured in turn, so that what the machine does else hits both: each answers lines of JSON.
import { execFileSync, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { loadavg } from "node:os";
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

const seconds = (answers) => answers.map((answer) => answer.seconds);
const cpuSeconds = (answers) => median(answers.map((answer) => answer.cpuSeconds));

/** Place of the side whose steps take least, by the median. */
export function fastestOf(sides) {
  const times = sides.map((answers) => median(seconds(answers)));
  return times.indexOf(Math.min(...times));
}

/** What a row says of the answers of two sides, in milliseconds. */
export function comparison(mine, theirs) {
  return {
    ours: 1e3 * median(seconds(mine)),
    peer: 1e3 * median(seconds(theirs)),
    ratio: median(seconds(mine)) / median(seconds(theirs)),
    ratioInterval95: ratioInterval95(seconds(mine), seconds(theirs)),
    cpuRatio: cpuSeconds(mine) / cpuSeconds(theirs),
    steps: mine.length,
    loadAverage: loadavg()[0],
  };
}

/** Peaks of two sides that are still at work. */
export async function peakMemories(ours, peer) {
  const { peakMemoryBytes } = await ours.ask("memory");
  return { peakMemoryBytes, peerPeakMemoryBytes: (await peer.ask("memory")).peakMemoryBytes };
}

/**
 * Our side against the faster of its peers: all of them are started and warmed up, a trial finds the fastest peer, the
 * others are stopped, and the two that are left take `steps` steps in turn.
 */
export async function compareWithFastest(ours, peers, steps) {
  await inTurn([ours, ...peers], 3);
  const [, ...trial] = await inTurn([ours, ...peers], 7);
  const fastest = peers[fastestOf(trial)];
  for (const peer of peers) if (peer !== fastest) peer.stop();
  const [mine, theirs] = await inTurn([ours, fastest], steps);
  const figures = { ...comparison(mine, theirs), ...(await peakMemories(ours, fastest)), peerMode: fastest.mode };
  ours.stop();
  fastest.stop();
  return figures;
}

/** `ratio 0.800 [0.790, 0.810]` */
export function ratioText({ ratio, ratioInterval95: [low, high] }) {
  return `ratio ${ratio.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

/** `peak 12 MB against 34 MB` */
export function memoryText({ peakMemoryBytes, peerPeakMemoryBytes }) {
  const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
  return `peak ${megabytes(peakMemoryBytes)} against ${megabytes(peerPeakMemoryBytes)}`;
}

/** The rows that `--row` names, all without it. Ends the process where there is none of these names. */
export function wantedRows(rows, { row }) {
  const wanted = row ? rows.filter(({ name }) => row.includes(name)) : rows;
  if (wanted.length > 0) return wanted;
  process.stderr.write(`no such row: expected ${rows.map(({ name }) => name).join(", ")}\n`);
  return process.exit(2);
}

/** A measured row on standard output, as JSON or as `text` says it, and in the file of `--record`. */
export function reportRow(result, text, { json, record }) {
  process.stdout.write(`${json ? JSON.stringify(result) : text(result)}\n`);
  if (record) appendFileSync(record, `${JSON.stringify({ ...result, commit: commit() })}\n`);
}

const commit = () => execFileSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" }).trim();
