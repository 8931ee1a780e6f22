#!/usr/bin/env node
// The ordering that SmartExchange (ISCA 2020) publishes among accelerators, with our models and our zoo. The limits below
// were written before the first run. (2-in-1's is part of `dovetail reproduce two-in-one`.)
// Usage: node bench/accelerator-orderings.mjs [--write] [--evaluations N] [--model exact|timeloop] [--activations FILE.onnx]
// FILE is a trained network whose activations are measured (default: MLPerf Tiny's ResNet-8 in $DOVETAIL_SHARED).

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { createRandomStream } from "@dovetail/core";
import { mapOnAccelerator, publishedNetwork, readAccelerator, shapeKey } from "@dovetail/hardware";
import { activationStatistics } from "./accelerator-orderings/activation-statistics.mjs";
import { orderingsPage } from "./accelerator-orderings/page.mjs";

const root = path.join(import.meta.dirname, "..");
const shared = process.env.DOVETAIL_SHARED ?? path.join(root, "../shared");
const { values: flags } = parseArgs({
  options: {
    write: { type: "boolean", default: false },
    evaluations: { type: "string", default: "400" },
    model: { type: "string", default: "exact" },
    activations: { type: "string", default: path.join(shared, "data/onnx/mlperf-tiny-resnet8-cifar10.onnx") },
  },
});
const evaluations = Number(flags.evaluations);
const seeds = [0, 1, 2];

const readMachine = (file) => readAccelerator(readFileSync(path.join(root, file), "utf8"), { file });

/** Energy and cycles of a network on a machine: the best mapping found for each distinct layer, by energy-delay product. */
function costOf(seed, network, machine, statistics) {
  const found = new Map();
  const total = { energyPj: 0, unitPj: 0, latencyCycles: 0, macs: 0 };
  for (const layer of network) {
    const key = shapeKey(layer);
    if (!found.has(key)) {
      const random = createRandomStream(seed).split(key);
      found.set(key, mapOnAccelerator(layer, machine, { random, evaluations, statistics, model: flags.model }));
    }
    const result = found.get(key);
    if (!result.ok) throw new Error(`${machine.name}: ${layer.name} has no mapping: ${result.rejection.reason}`);
    total.energyPj += result.cost.energyPj;
    total.unitPj += result.cost.compute.energyPj;
    total.latencyCycles += result.cost.latencyCycles;
    total.macs += result.cost.macs;
  }
  return total;
}

const machines28 = "bench/accelerator-orderings/machines";
const smartExchangeMachines = {
  DianNao: readMachine(`${machines28}/diannao.yaml`),
  SCNN: readMachine(`${machines28}/scnn.yaml`),
  "Cambricon-X": readMachine(`${machines28}/cambricon-x.yaml`),
  "Bit-Pragmatic": readMachine(`${machines28}/bit-pragmatic.yaml`),
  SmartExchange: readMachine("accelerators/smartexchange.yaml"),
};

/** Part of the weights' rows that SmartExchange zeroes, as recalled from the paper's tables; 0 where none is recalled. */
const zeroRows = {
  "VGG-11": 0.86,
  "ResNet-50": 0.45,
  "VGG-19": 0.928,
  "ResNet-164": 0.376,
  MobileNetV2: 0,
  "EfficientNet-B0": 0,
  "DeepLabV3+": 0,
};

/** The baselines meet the rebuilt weights: as many zeros, spread evenly. */
function statisticsFor(machine, network, words) {
  const zeros = zeroRows[network];
  return {
    weightZeroFraction: zeros,
    inputWords: words,
    outputZeroFraction: words.zeroFraction,
    ...(machine === "SmartExchange" && { structured: { keptRowFraction: 1 - zeros } }),
  };
}

function smartExchange(seed, words, machines = smartExchangeMachines) {
  return Object.fromEntries(
    Object.keys(zeroRows).map((network) => [
      network,
      Object.fromEntries(
        Object.entries(machines).map(([name, machine]) => [
          name,
          costOf(seed, publishedNetwork(network, { bits: 8 }), machine, statisticsFor(name, network, words)),
        ]),
      ),
    ]),
  );
}

/** SmartExchange's machine with another number of multipliers that wait for one another. */
function inLockstep(lanes) {
  const machine = smartExchangeMachines.SmartExchange;
  return { SmartExchange: { ...machine, unit: { ...machine.unit, lockstep: lanes } } };
}

/** SmartExchange's machine with a feature switched off. */
const ablations = {
  "zero bits skipped without Booth recoding": (machine) => ({
    ...machine,
    unit: { ...machine.unit, encoding: "bits" },
  }),
  "zero rows not skipped": (machine) => ({
    ...machine,
    sparsity: { ...machine.sparsity, skips: [], skippingLevels: [] },
  }),
  "weights stored as 8-bit words": (machine) => ({ ...machine, sparsity: { ...machine.sparsity, stored: {} } }),
};

// Limits, written before the first run.
const limits = {
  /** The papers' largest ratios are met within this factor, either way. */
  factor: 2,
  energy: 6.7,
  speed: 19.2,
};

const words = await activationStatistics(flags.activations);
const runs = seeds.map((seed) => ({ se: smartExchange(seed, words.words) }));
const [{ se }] = runs;
const lockstep = [1, 128].map((lanes) => {
  const changed = smartExchange(seeds[0], words.words, inLockstep(lanes));
  return [
    lanes,
    Object.fromEntries(Object.keys(se).map((network) => [network, { ...se[network], ...changed[network] }])),
  ];
});

const withoutFeature = Object.fromEntries(
  Object.entries(ablations).map(([text, change]) => [
    text,
    smartExchange(seeds[0], words.words, { SmartExchange: change(smartExchangeMachines.SmartExchange) }),
  ]),
);

const baselines = Object.keys(smartExchangeMachines).filter((name) => name !== "SmartExchange");
/** Baseline over SmartExchange. */
const ratiosOf = (costs, figure) => baselines.map((name) => costs[name][figure] / costs.SmartExchange[figure]);
const aheadOfAll = (figure) => (run) =>
  Object.values(run.se).filter((costs) => ratiosOf(costs, figure).every((ratio) => ratio >= 1)).length;
const largest = (figure) => (run) => Math.max(...Object.values(run.se).flatMap((costs) => ratiosOf(costs, figure)));
function claim(text, source, claimed, unit, of, holds) {
  const values = runs.map(of);
  const ours = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - ours) ** 2, 0) / (values.length - 1);
  return {
    text,
    source,
    claimed,
    ours: Number(ours.toPrecision(4)),
    spread: Number(Math.sqrt(variance).toPrecision(2)),
    unit,
    held: values.every((value) => holds(value, claimed)),
    perSeed: values.map((value) => Number(value.toPrecision(4))),
    tried: [],
  };
}

const all = (ours, claimed) => ours === claimed;
const within = (ours, claimed) => ours <= claimed * limits.factor && ours >= claimed / limits.factor;
const isca = "ISCA 2020, comparison of the accelerators";
const networkCount = Object.keys(zeroRows).length;
const claims = [
  claim(
    "SmartExchange takes the least energy of the five, of seven networks",
    isca,
    networkCount,
    "networks",
    aheadOfAll("energyPj"),
    all,
  ),
  claim(
    "SmartExchange is the fastest of the five, of seven networks",
    isca,
    networkCount,
    "networks",
    aheadOfAll("latencyCycles"),
    all,
  ),
  claim(
    `largest ratio of a baseline's energy to SmartExchange's (held: within a factor of ${limits.factor})`,
    "ISCA 2020, abstract",
    limits.energy,
    "ratio",
    largest("energyPj"),
    within,
  ),
  claim(
    `largest ratio of a baseline's time to SmartExchange's (held: within a factor of ${limits.factor})`,
    "ISCA 2020, abstract",
    limits.speed,
    "ratio",
    largest("latencyCycles"),
    within,
  ),
];

const card = {
  system: "accelerator-orderings",
  scale: "full",
  date: new Date().toISOString().slice(0, 10),
  commit: execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: root, encoding: "utf8" }).trim(),
  command: `node bench/accelerator-orderings.mjs --write --evaluations ${evaluations} --model ${flags.model}`,
  seeds,
  machine: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
  claims,
  notRun: [],
  figures: {
    activations: words,
    zeroRows,
    smartExchange: se,
    lockstep: Object.fromEntries(lockstep),
    withoutFeature,
  },
};

const page = orderingsPage(card, { baselines });
console.log(page);
if (flags.write) {
  writeFileSync(path.join(root, "docs/reproductions/accelerator-orderings.json"), `${JSON.stringify(card, null, 2)}\n`);
  writeFileSync(path.join(root, "docs/reproductions/accelerator-orderings.md"), page);
}
