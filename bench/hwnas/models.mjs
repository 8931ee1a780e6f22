// How our cost models rank the 15,625 networks beside the published ones, and which operators make the difference.
import { createRandomStream } from "@dovetail/core";
import { eyerissLike, fpgaBoards } from "@dovetail/hardware";
import * as nasbench from "@dovetail/nasbench";
import { claim } from "./claim.mjs";

const source = "systems.md, section 10";

export function modelClaims({ cells, fbnet }) {
  const mapped = (seed) => nasbench.mappedModel(eyerissLike(), { random: createRandomStream(seed) });
  const rank = (model, device, pooling) =>
    nasbench.blameOperators(
      cells,
      nasbench.modelledCellPrices(model, "cifar10", { pooling }),
      nasbench.cellCosts(cells, "cifar10", `${device}_latency`),
    );
  const chip = nasbench.rowStationaryModel();
  const board = nasbench.fpgaModel(fpgaBoards.ZC706);
  const seeds = [0, 1, 2];
  const models = seeds.map(mapped);
  const eyeriss = Object.fromEntries(
    nasbench.poolingCharges.map((pooling) => [pooling, models.map((model) => rank(model, "eyeriss", pooling))]),
  );
  const fpga = Object.fromEntries(nasbench.poolingCharges.map((pooling) => [pooling, rank(board, "fpga", pooling)]));
  const published = rank(chip, "eyeriss", "convolution");
  const taus = (pooling) => eyeriss[pooling].map(({ kendall }) => kendall);
  const least = (values) => Math.min(...values);
  const claims = [
    claim({
      text: "τ-b against eyeriss with the published constants, pooling as a convolution (1)",
      source,
      claimed: 1,
      ours: published.kendall,
      unit: "τ-b",
      held: published.kendall === 1,
    }),
    claim({
      text: "τ-b against eyeriss of our Eyeriss-like accelerator and mapper, pooling as a convolution (at least 0.9)",
      source,
      claimed: 0.9,
      ours: least(taus("convolution")),
      unit: "τ-b",
      held: least(taus("convolution")) >= 0.9,
      perSeed: taus("convolution"),
    }),
    claim({
      text: "the same where pooling costs nothing (an honest model cannot exceed about 0.5)",
      source,
      claimed: 0.5,
      ours: Math.max(...taus("free")),
      unit: "τ-b",
      held: Math.max(...taus("free")) <= 0.5,
      perSeed: taus("free"),
    }),
    claim({
      text: "τ-b against fpga of our FPGA pipeline on a ZC706, pooling as what its words take to move (at least 0.85)",
      source,
      claimed: 0.85,
      ours: fpga.moved.kendall,
      unit: "τ-b",
      held: fpga.moved.kendall >= 0.85,
      tried: ["free", "depthwise", "convolution"].map((pooling) => `${pooling}: ${fpga[pooling].kendall.toFixed(4)}`),
    }),
  ];
  return { claims, eyeriss, fpga, published, pairs: pairsOf(cells), fbnetPairs: fbnetPairsOf(fbnet, models[0], board) };
}

/** Kendall's τ-b of all pairs of devices, sizes and accuracy. */
function pairsOf(cells) {
  const columns = [...cells.costs.cifar10].map(([name, values]) => ({ name: name.replace("_latency", ""), values }));
  columns.push({ name: "MACs", values: Float64Array.from(cells.codes, (code) => nasbench.cellMacs(code, "cifar10")) });
  columns.push({ name: "accuracy", values: cells.accuracies.cifar10.test });
  return matrixOf(columns);
}

/** The same over the 5,000 sampled FBNet networks, with our models. */
function fbnetPairsOf(fbnet, eyeriss, board) {
  const { samples } = fbnet;
  const totals = (sum) =>
    Float64Array.from({ length: samples.count }, (_, at) => nasbench.fbnetTotal(sum, samples.operators, at * 22));
  const devices = ["edgegpu", "raspi4", "pixel3", "eyeriss", "fpga"];
  const columns = devices.map((name) => ({ name, values: totals(fbnet.sums.cifar100.get(`${name}_latency`)) }));
  const options = { pooling: "moved" };
  columns.push({ name: "our eyeriss-like", values: totals(nasbench.modelledFbnetSum(eyeriss, "cifar100", options)) });
  columns.push({ name: "our fpga", values: totals(nasbench.modelledFbnetSum(board, "cifar100", options)) });
  return matrixOf(columns);
}

function matrixOf(columns) {
  return {
    names: columns.map(({ name }) => name),
    values: columns.map((row) => columns.map((column) => nasbench.kendallTau(row.values, column.values))),
  };
}
