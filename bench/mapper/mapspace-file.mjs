// The mapspace file of the mapper benchmark as our documents: problem, architecture with its constraints, cost options.
import { convolutionProblem, readArchitecture } from "@dovetail/hardware";

/** Bits that stand for a word in every memory: the file counts in words. */
const wordBits = 8;

export function readMapspace(text) {
  const file = JSON.parse(text);
  const { instance } = file.problem;
  const problem = convolutionProblem({
    batch: instance.N,
    inputChannels: instance.C,
    outputChannels: instance.M,
    outputHeight: instance.P,
    outputWidth: instance.Q,
    kernelHeight: instance.R,
    kernelWidth: instance.S,
    strideHeight: instance.Hstride,
    strideWidth: instance.Wstride,
    dilationHeight: instance.Hdilation,
    dilationWidth: instance.Wdilation,
  });
  return { file, problem, architecture: architectureOf(file), options: { leakage: false, model: "timeloop" } };
}

function architectureOf({ levels_outermost_first: levels, constraints }) {
  const { energy_pJ_per_mac: energyPj } = levels.at(-1);
  const memories = levels.slice(0, -1);
  const document = {
    name: "eyeriss-168",
    levels: memories.map(levelOf),
    compute: { energyPj },
    constraints: { levels: memories.map((level) => constraintOf(level, constraints[level.name])) },
  };
  return readArchitecture(JSON.stringify(document));
}

function levelOf(level) {
  if (level.spatial) return { name: level.name, fanout: { [level.spatial.axis.toLowerCase()]: level.spatial.fanout } };
  const { capacity_words: words, words_per_access: wordsPerAccess, energy_pJ_per_access: energy } = level;
  const [read, write] = level.read_write_words_per_cycle ?? [undefined, undefined];
  return {
    name: level.name,
    storage: {
      ...(words !== null && { entries: words / wordsPerAccess }),
      widthBits: wordsPerAccess * wordBits,
      wordBits,
      readPj: energy.read,
      writePj: energy.write,
      updatePj: energy.update,
      ...(read !== undefined && { readBitsPerCycle: read * wordBits, writeBitsPerCycle: write * wordBits }),
    },
  };
}

const tensors = ["Weights", "Inputs", "Outputs"];

function constraintOf(level, constraint) {
  const keeping = level.spatial
    ? {}
    : { keep: level.keeps, bypass: tensors.filter((tensor) => !level.keeps.includes(tensor)) };
  const { temporal, spatial_X: x, spatial_Y: y } = constraint;
  return {
    level: level.name,
    ...keeping,
    ...(temporal !== undefined && { temporal: temporalOf(temporal) }),
    ...(x !== undefined && { spatialX: spatialOf(x, level.spatial.fanout) }),
    ...(y !== undefined && { spatialY: spatialOf(y, level.spatial.fanout) }),
  };
}

function temporalOf(temporal) {
  if (temporal === "none") return { dimensions: [] };
  if (typeof temporal === "string") {
    if (!temporal.startsWith("N innermost, order of the others free"))
      throw new Error(`unknown constraint ${temporal}`);
    return { permutation: ["*", "N"] };
  }
  const order = temporal.order_innermost_first;
  return {
    dimensions: temporal.allowed_dimensions,
    ...(order !== undefined && { permutation: ["*", ...order.toReversed()] }),
  };
}

function spatialOf({ allowed_dimensions: dimensions, order, max_product: most }, fanout) {
  if (most !== fanout) throw new Error(`max_product ${most} is not the fan-out ${fanout}`);
  return { dimensions, permutation: ["*", ...[...order].toReversed()] };
}
