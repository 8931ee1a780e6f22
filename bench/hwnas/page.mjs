// The card as a page.
import { devices } from "./searches.mjs";

const table = (head, rows) =>
  [
    `| ${head.join(" | ")} |`,
    `| ${head.map(() => "---").join(" | ")} |`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");

const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "–");

export function cardText(card, { tables, models, searches, hosts }) {
  const { date, commit, machine, command, claims, notRun } = card;
  return `# HW-NAS-Bench: reproduction card

Made by \`${command}\`. ${date}, commit ${commit}, ${machine}. How it is built: [HW-NAS-Bench](../systems/hw-nas-bench.md). Limits are those of the specification; what was chosen after a look at results says so.

## Claims
${table(
  ["claim", "source", "asked", "ours", "held"],
  claims.map(({ text, source, claimed, ours, unit, held }) => [
    text,
    source,
    `${claimed}`,
    `${ours} ${unit}`,
    held ? "yes" : "no",
  ]),
)}

Not run: ${notRun.join("; ")}.

## The nine checks
\`dovetail hwnas verify --figures\` prints every figure.

${table(
  ["check", "what", "figures", "verdict"],
  tables.checks.map(({ number, title, figures, verdict }) => [`${number}`, title, `${figures.length}`, verdict]),
)}

## How devices rank networks
Kendall's τ-b over NAS-Bench-201 on CIFAR-10 (edgegpu and edgetpu: the 1,999 and 1,740 networks that are there, which are the larger ones; each pair over what both have):

${matrix(models.pairs)}

Over the 5,000 sampled FBNet networks, CIFAR-100, with our models (pooling moved):

${matrix(models.fbnetPairs)}

FBNet's edgegpu latency ranks like nothing else: costs that do not transfer are chiefly the GPU's.

## How our models rank them
What a pooling is charged as decides nearly everything against \`eyeriss\`, whose tables charge it like a dense 3×3 convolution (1.47456 ms both). τ-b over all 15,625 networks:

${table(
  ["pooling charged as", "Eyeriss-like against eyeriss, 3 seeds", "FPGA pipeline against fpga"],
  Object.keys(models.fpga).map((pooling) => [
    pooling,
    models.eyeriss[pooling].map(({ kendall }) => fixed(kendall, 4)).join(", "),
    fixed(models.fpga[pooling].kendall, 4),
  ]),
)}

The FPGA template has no pooling unit. The specification does not say what it should cost; *moved* (each word in and out once, as a unit that adds whole windows beside the data path does) was chosen after a look at all four.

Which operators cause what is missing. Price over published: ours over the published price, both measured in the other operators' sum.

${blame("Eyeriss-like, pooling free: without the switch", models.eyeriss.free[0])}

${blame("Eyeriss-like, pooling as a convolution", models.eyeriss.convolution[0])}

${blame("FPGA pipeline, pooling free", models.fpga.free)}

${blame("FPGA pipeline, pooling moved", models.fpga.moved)}

${blame("FPGA pipeline, pooling as a 3×3 depth-wise convolution", models.fpga.depthwise)}

So: against \`eyeriss\` all of the loss is \`avg_pool_3x3\`. Against \`fpga\`, without a price for pooling what is lost is \`avg_pool_3x3\` too; what is left with one is the ratio of \`nor_conv_3x3\` to \`nor_conv_1x1\` (published 2.44, ours 3.26).

## Searches
Test accuracy in percent after so many queries, mean of 30 seeds, searched by validation accuracy; random is its exact expectation; paired is the mean difference of validation accuracy to random search with the same seed, with its standard error.

${table(
  ["data set", "queries", "random", "search", "mean", "paired, validation"],
  searches.baseline.map(({ dataset, queries, expectedRandom, name, mean, paired, pairedError }) => [
    dataset,
    `${queries}`,
    fixed(expectedRandom, 4),
    name,
    fixed(mean, 3),
    `${fixed(paired, 2)} ± ${fixed(pairedError, 2)}`,
  ]),
)}

The network with the best validation accuracy on ImageNet16-120 has 46.20 % in the test: who always finds it, with 1,000 queries, ends below the expectation of random search.

Queries until the most accurate network within a limit on CIFAR-10 is found (the limit is the device's median), median of 15 seeds, 2,000 allowed:

${table(
  ["device", "limit, ms", "optimum", "random", "evolution", "local", "gradient"],
  searches.limits.map((row) => [
    row.device,
    `${row.limit}`,
    `${fixed(row.optimum.accuracyPercent, 2)} %`,
    ...["random", "evolution", "local", "gradient"].map((name) =>
      Number.isFinite(row[name]) ? `${row[name]}` : "not",
    ),
  ]),
)}

## Device or proxy
Fastest network with 93.5 % by one device (or the fewest MACs): how much slower than the best it is on each, percent.

${table(
  ["chosen by", "network", ...devices],
  searches.transfer.map(({ name, index, slower }) => [name, `${index}`, ...slower.map((value) => fixed(value, 1))]),
)}

The same by search: a front of accuracy and the device's latency against a front of accuracy and MACs, by the same algorithm with 300 queries each. Each keeps the network with the accuracy asked for that is cheapest in its own measure; slower is how much slower the proxy's is on the device, mean of 30 seeds with its standard error. (Where the device may choose afterwards among all that the proxy asked for, the two hardly differ: what pays is to ask the device at all.)

${table(
  ["device", "accuracy at least", "slower, percent", "seeds in which both found one"],
  searches.proxy.map(({ device, percent, pairs, slower, error }) => [
    device,
    `${percent} %`,
    `${fixed(slower, 1)} ± ${fixed(error, 1)}`,
    `${pairs}`,
  ]),
)}

## This machine as a device
${hosts.hosts.map(hostText).join("\n\n")}

## Faults of the published data
Shown with every query that meets them (\`dovetail hwnas query\`), never corrected: pooling as a convolution on eyeriss; energies of stem, header, pool and classifier that are copies of latencies; FPGA costs of 0; FPGA energy as 7 W times latency; outliers and near-zero latencies of single measurements.
`;
}

function matrix({ names, values }) {
  return table(
    ["", ...names],
    values.map((row, index) => [names[index], ...row.map((value) => fixed(value, 2))]),
  );
}

function blame(title, { kendall, operators }) {
  return `${title}: τ-b ${fixed(kendall, 4)}

${table(
  ["operator", "price over published", "τ-b if priced as published"],
  operators
    .filter(({ operator }) => operator !== "none" && operator !== "skip_connect")
    .map(({ operator, relativePrice, kendallIfPublished }) => [
      operator,
      fixed(relativePrice, 2),
      fixed(kendallIfPublished, 4),
    ]),
)}`;
}

function hostText({ table: { space, dataset, conditions, operators, networks }, medianError, kendall, pearson }) {
  const facts = Object.entries(conditions)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
  return `**${space}, ${dataset}**: ${Object.keys(operators).length} operators, ${networks.length} random whole networks. Median error ${fixed(100 * medianError, 1)} %, Kendall τ-b ${fixed(kendall, 3)}, Pearson r ${fixed(pearson, 3)}. Conditions: ${facts}.

${table(
  ["measured, ms", "sum, ms", "error"],
  networks.map(({ measuredMs, predictedMs }) => [
    fixed(measuredMs, 3),
    fixed(predictedMs, 3),
    `${fixed(100 * (predictedMs / measuredMs - 1), 1)} %`,
  ]),
)}`;
}
