// What every result must hold, worked out here from the documents alone.
import { readFileSync } from "node:fs";
import { readModel } from "@dovetail/graph";
import { extractWorkloads, readArchitecture, readMapping, readProblem } from "@dovetail/hardware";

/** What a printed result breaks. */
export function brokenInvariants({ kind, model, problem, architecture, mapping, network }, stdout) {
  if (kind === "packed") return brokenInRebuilt(readModel(readFileSync(network)));
  if (kind === "none") return stdout === "" ? ["nothing printed"] : nonsenseIn(stdout);
  const result = JSON.parse(stdout);
  const machine = readArchitecture(architecture);
  if (kind === "layer") return brokenInLayer(readProblem(problem), machine, readMapping(mapping), result, model);
  const { graph } = readModel(readFileSync(network), { missingExternalData: "shape-only" });
  // As the command charges values of which the file says nothing.
  const { layers } = extractWorkloads(graph, { bitWidths: { weights: 8, inputs: 8, outputs: 8 } });
  if (layers.length !== result.layers.length) return ["another number of layers"];
  const broken = layers.flatMap((layer, index) => {
    const mapped = result.layers[index];
    return brokenInLayer(layer.problem, machine, mapped.mapping, mapped.cost, model);
  });
  const energyPj = layers.reduce((sum, { repetitions }, at) => sum + result.layers[at].cost.energyPj * repetitions, 0);
  if (Math.abs(energyPj - result.energyPj) > 1e-9 * energyPj) broken.push("layers do not add up");
  return broken;
}

/** A file that was taken stands for a model whose inputs and constants have types, none of them missing. */
function brokenInRebuilt({ graph }) {
  const known = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys(), ""]);
  const broken = [];
  for (const { inputs, outputs } of graph.nodes) {
    for (const name of inputs) if (!known.has(name)) broken.push(`"${name}" comes from nowhere`);
    for (const name of outputs) known.add(name);
  }
  return broken;
}

function nonsenseIn(text) {
  return /\bNaN\b|undefined|\[object/.test(text) ? ["nonsense in the text"] : [];
}

const product = (numbers) => numbers.reduce((total, value) => total * value, 1);

function brokenInLayer(problem, machine, mapping, cost, model) {
  const broken = [];
  const expect = (holds, what) => {
    if (!holds) broken.push(what);
  };
  const sizes = problem.dimensions;
  const macs = product(Object.values(sizes));
  expect(
    cost.macs === macs && (cost.compute.macs === macs || cost.compute.gated !== undefined),
    "multiply-accumulates are not conserved",
  );
  const units = product(machine.levels.map(({ fanout }) => (fanout?.x ?? 1) * (fanout?.y ?? 1)));
  expect(cost.compute.units <= units, "more units than there are");
  expect(
    cost.compute.units * cost.compute.cycles >= macs * (1 - 1e-12) || cost.compute.gated !== undefined,
    "fewer cycles than the work takes",
  );
  expect(
    cost.latencyCycles >= cost.compute.cycles || cost.compute.gated !== undefined,
    "shorter than its units are busy",
  );
  for (const [path, value] of numbersOf(cost)) {
    expect(Number.isFinite(value) && value >= 0, `${path} is ${value}`);
  }
  for (const [name, size] of Object.entries(sizes)) {
    const covered = product(loopsOf(mapping, 0, name));
    expect(model === "exact" ? covered >= size : covered === size, `${name} is not covered`);
  }
  mapping.levels.forEach(({ spatialX, spatialY, level }, index) => {
    const { fanout } = machine.levels[index];
    expect(product(spatialX.map(({ bound }) => bound)) <= (fanout?.x ?? 1), `too many columns below ${level}`);
    expect(product(spatialY.map(({ bound }) => bound)) <= (fanout?.y ?? 1), `too many rows below ${level}`);
    expect(usedBits(problem, machine, mapping, index, model) <= capacityBits(machine, index), `${level} overflows`);
  });
  return broken;
}

/** Bounds of the loops over a dimension at a level and inside it. */
function loopsOf({ levels }, from, name) {
  return levels
    .slice(from)
    .flatMap(({ temporal, spatialX, spatialY }) => [...temporal, ...spatialX, ...spatialY])
    .flatMap(({ dimension, bound }) => (dimension === name ? [bound] : []));
}

/** Bits that the tiles of a level take; the model exact has no gaps, so that a lower bound must do there. */
function usedBits(problem, machine, mapping, index, model) {
  const { storage, sparse } = machine.levels[index];
  if (storage === undefined || sparse !== undefined || problem.dataSpaces.some(({ density }) => density !== undefined))
    return 0;
  const { keep } = mapping.levels[index];
  return problem.dataSpaces
    .filter(({ name }) => keep.includes(name))
    .reduce((bits, { projection, bitWidth }) => {
      const words = product(
        projection.map((rank) => {
          const lengths = rank.map(({ dimension }) =>
            Math.min(problem.dimensions[dimension], product(loopsOf(mapping, index, dimension))),
          );
          const extent = rank.reduce((sum, { coefficient }, term) => sum + coefficient * (lengths[term] - 1), 1);
          return model === "exact" ? Math.max(1, ...lengths) : extent;
        }),
      );
      return bits + words * (storage.wordBits ?? bitWidth);
    }, 0);
}

function capacityBits({ levels, constraints }, index) {
  const { storage, name } = levels[index];
  if (storage?.entries === undefined) return Number.POSITIVE_INFINITY;
  const copies = constraints?.levels?.find(({ level }) => level === name)?.multipleBuffering ?? 1;
  return (storage.entries * storage.widthBits) / copies;
}

/** Every number of a result, with its path. */
function numbersOf(value, path = "cost") {
  if (typeof value === "number") return [[path, value]];
  if (value === null) return [[path, Number.NaN]];
  if (typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersOf(inner, `${path}.${key}`));
}
