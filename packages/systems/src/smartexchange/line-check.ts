// The layers of a packed network on the bit-exact models of SmartExchange's rebuild engine and line, against plain integers.

import { setImmediate } from "node:timers/promises";
import { decodePacked, type StructuredLayer, unpackTensor } from "@dovetail/compress";
import type { Watch } from "@dovetail/core";
import { type Graph, inferTypes, type Model, type Node, windowOf, writeModel } from "@dovetail/graph";
import { exportModel, type Network } from "@dovetail/models";
import { openModel } from "@dovetail/runtime";
import { z } from "zod";
import { type LayerInput, type LineSettings, layerInIntegers, layerOnLine } from "./accelerator/layer-on-line.js";

/** Weights rounded to what the machine's multipliers take, and as they are. */
export const lineSettings: readonly LineSettings[] = [
  { weightBits: 8, accumulatorBits: 24 },
  { weightBits: 24, accumulatorBits: 48 },
];

export const lineCheckSchema = z.object({
  layers: z.array(
    z.object({
      name: z.string(),
      operator: z.string(),
      /** With both settings. */
      sums: z.number(),
      nonZeroSums: z.number(),
      /** Sums that are not those of plain integers. */
      differences: z.number(),
    }),
  ),
});

export type LineCheck = z.output<typeof lineCheckSchema>;

/** Runs an image through a network from its packed file, and every layer of it on the line, with both settings. */
export async function checkLine(
  network: Network,
  file: Uint8Array,
  image: Float32Array,
  { rowStep, watch }: { readonly rowStep: number; readonly watch: Watch },
): Promise<LineCheck> {
  const { tensors } = decodePacked(file);
  const model = exportModel(network, new Map([...tensors].map(([name, packed]) => [name, unpackTensor(packed)])));
  const structured = new Map(
    [...tensors].flatMap(([name, packed]) => (packed.kind === "structured" ? [[name, packed.layer] as const] : [])),
  );
  const found = await layerInputs(model, new Set(structured.keys()), image);
  const layers: LineCheck["layers"] = [];
  for (const { name, operator, input } of found) {
    layers.push({ name, operator, ...compareOnLine(structured.get(name)!, { ...input, rowStep }) });
    watch.onProgress?.({ task: "line", done: layers.length, total: found.length, unit: "layers" });
    // Signals arrive between layers.
    await setImmediate();
    watch.signal?.throwIfAborted();
  }
  return { layers };
}

/** How many sums the line's model has, and how many of them plain integers do not. */
export function compareOnLine(layer: StructuredLayer, input: LayerInput) {
  let [sums, nonZeroSums, differences] = [0, 0, 0];
  for (const settings of lineSettings) {
    const line = layerOnLine(layer, input, settings).sums;
    const plain = layerInIntegers(layer, input, settings.weightBits);
    sums += plain.length;
    for (const [index, sum] of plain.entries()) {
      if (sum !== 0) nonZeroSums++;
      if (line[index] !== sum) differences++;
    }
  }
  return { sums, nonZeroSums, differences };
}

export interface NamedInput {
  /** Of the weight. */
  readonly name: string;
  readonly operator: "Conv" | "Gemm" | "MatMul";
  readonly input: LayerInput;
}

/** What enters the layers of these weights for one image, in 8 bit: the largest value is the largest code. */
export async function layerInputs(
  model: Model,
  weights: ReadonlySet<string>,
  image: Float32Array,
): Promise<NamedInput[]> {
  const graph = inferTypes(model.graph);
  const nodes = graph.nodes.filter(({ inputs }) => inputs[1] !== undefined && weights.has(inputs[1]));
  const [{ name: imageName, type }] = graph.inputs as [Graph["inputs"][number]];
  const names = [...new Set(nodes.map(({ inputs: [name] }) => name!))].filter((name) => name !== imageName);
  const outputs = names.map((name) => ({ name, type: graph.types.get(name)! }));
  const open = await openModel(writeModel({ ...model, graph: { ...graph, outputs } }), { threads: 1 });
  const dimensions = [1, ...type.shape!.slice(1)] as number[];
  const pixels = { elementType: "float32" as const, dimensions, data: image };
  try {
    const results = { ...(await open.run({ [imageName]: pixels })), [imageName]: pixels };
    return nodes.map((node): NamedInput => {
      const activations = results[node.inputs[0]!] as { data: ArrayLike<number>; dimensions: readonly number[] };
      return {
        name: node.inputs[1]!,
        operator: node.operator as NamedInput["operator"],
        input: { ...codesOf(activations.data), ...placeOf(graph, node, activations.dimensions) },
      };
    });
  } finally {
    await open.release();
  }
}

function codesOf(values: ArrayLike<number>): Pick<LayerInput, "codes" | "signed"> {
  let [most, signed] = [1e-30, false];
  for (let index = 0; index < values.length; index++) {
    most = Math.max(most, Math.abs(values[index]!));
    signed ||= values[index]! < 0;
  }
  const step = most / (signed ? 127 : 255);
  return { codes: Int32Array.from(values, (value) => Math.round(value / step)), signed };
}

/** A product with a matrix is a convolution of one place. */
function placeOf(graph: Graph, node: Node, dimensions: readonly number[]): Omit<LayerInput, "codes" | "signed"> {
  if (node.operator !== "Conv") {
    const one = { height: 1, width: 1, outputHeight: 1, outputWidth: 1 };
    return { ...one, stride: 1, padTop: 0, padLeft: 0 };
  }
  const [height, width] = dimensions.slice(2) as [number, number];
  const kernel = graph.initializers.get(node.inputs[1]!)!.dimensions.slice(2);
  const window = windowOf(node, kernel, [height, width])!;
  const [, , outputHeight, outputWidth] = graph.types.get(node.outputs[0]!)!.shape as number[];
  return {
    height,
    width,
    stride: window.strides[0]!,
    padTop: window.pads[0]!,
    padLeft: window.pads[1]!,
    outputHeight: outputHeight!,
    outputWidth: outputWidth!,
  };
}
