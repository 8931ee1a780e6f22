import type { Graph } from "@dovetail/graph";
import { type ExtractOptions, extractWorkloads, type Layer } from "../workload/extract/extract.js";
import type { Rank } from "../workload/projection.js";
import { distinctPoints, type LayerOperand, type RankRelation, type ZigZagLayer } from "../zigzag/layer.js";

// A network's layers with ZigZag's letters: K output and C input channels (each per group), OX × OY outputs, FX × FY
// kernel; of a matrix product D rows and H independent products. What is neither convolution nor matrix product ZigZag
// leaves out of a network.

// In ZigZag's order of loops, which decides between equals in its search.
const convolutionLetters: Readonly<Record<string, string>> = {
  N: "B",
  M: "K",
  G: "G",
  Q: "OX",
  P: "OY",
  C: "C",
  S: "FX",
  R: "FY",
};
const productLetters: Readonly<Record<string, string>> = { C: "C", N: "D", M: "K", G: "H" };

/** Stored ranks of a window, by the output loop that moves it. */
const windowRanks: Readonly<Record<string, string>> = { OX: "IX", OY: "IY" };

/** Where the last two sizes of an input's shape have the stored extent of a rank. */
const sidePlaces: Readonly<Record<string, number>> = { IY: 0, IX: 1 };

/** Partial sums have twice the bits of the activations. */
const PARTIAL_SUM_BITS = 2;

/**
 * The layers of a network as ZigZag reads them out of ONNX. Loops that it has no letter for (a third spatial axis) keep
 * ours.
 *
 * @throws DovetailError as `extractWorkloads`.
 */
export function zigzagLayersOf(graph: Graph, options: ExtractOptions = {}): ZigZagLayer[] {
  return extractWorkloads(graph, options).layers.map((layer, id) => {
    const shape = graph.types.get(layer.inputs.name)?.shape ?? [];
    return layerOf(layer, id, shape.slice(-2));
  });
}

function layerOf(layer: Layer, id: number, inputSides: readonly (number | string | null)[]): ZigZagLayer {
  const { problem } = layer;
  const letters = problem.dimensions.P === undefined ? productLetters : convolutionLetters;
  const names = [...new Set([...Object.keys(letters), ...Object.keys(problem.dimensions)])];
  const dimensions = Object.fromEntries(
    names.flatMap((name) => {
      const size = problem.dimensions[name];
      return size === undefined ? [] : [[letters[name] ?? name, size] as const];
    }),
  );
  const relations: RankRelation[] = [];
  const named = (rank: Rank): string => {
    const terms = rank.map(({ coefficient, dimension }) => ({
      coefficient,
      dimension: letters[dimension] ?? dimension,
    }));
    const [a, b] = terms;
    if (a === undefined || b === undefined) return a?.dimension ?? "";
    const name = windowRanks[a.dimension] ?? `I${a.dimension}`;
    const points = distinctPoints(a.coefficient, dimensions[a.dimension]!, b.coefficient, dimensions[b.dimension]!);
    const side = inputSides[sidePlaces[name] ?? Number.NaN];
    const size = typeof side === "number" ? Math.min(points, side) : points;
    if (!relations.some(({ rank: known }) => known === name)) relations.push({ rank: name, a, b, size });
    return name;
  };
  const operand = (name: string, space: string): LayerOperand => {
    const { projection, bitWidth } = problem.dataSpaces.find((candidate) => candidate.name === space)!;
    return { name, ranks: projection.map(named), bits: bitWidth };
  };
  const output = operand("O", "Outputs");
  const inputs = [operand("W", "Weights"), operand("I", "Inputs")];
  return {
    id,
    name: layer.name,
    operator: layer.operator,
    dimensions,
    output: { ...output, bits: PARTIAL_SUM_BITS * inputs[1]!.bits, finalBits: output.bits },
    inputs,
    relations,
    sources: {},
  };
}
