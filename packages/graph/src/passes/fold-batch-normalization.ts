import { attributeOf } from "../ir/attribute.js";
import type { Attribute, Graph, Node, Tensor } from "../ir/graph.js";
import { regionNodes } from "../ir/regions.js";
import { consumedNames } from "../ir/subgraphs.js";
import { elementCount, tensorFromData } from "../ir/tensor.js";
import { eliminateDeadCode } from "./eliminate-dead-code.js";

/**
 * Puts a BatchNormalization in inference mode into the Conv, ConvTranspose or Gemm that it follows: with
 * s = scale / √(variance + ε), the weights of output channel k become w·sₖ, and the bias (bias − mean)·s + shift
 * (Jacob et al. 2018, section 3.2). The folded node gives the normalization's output.
 *
 * Weights and biases that nothing else reads keep their names and annotations. Left alone: nodes whose output anything
 * else reads, parameters that are no float32 or float64 constants, weights annotated as powers of two (scaling would
 * undo it), nodes inside custom-gradient regions.
 */
export function foldBatchNormalization(graph: Graph): Graph {
  const uses = countUses(graph);
  const inRegion = regionNodes(graph);
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const name of node.outputs) producers.set(name, node);
  const initializers = new Map(graph.initializers);
  const types = new Map(graph.types);
  const add = (name: string | undefined, stem: string, constant: Tensor): string => {
    const target = name !== undefined && name !== "" && uses.get(name) === 1 ? name : freshName(stem, types);
    initializers.set(target, constant);
    types.set(target, { elementType: constant.elementType, shape: constant.dimensions });
    return target;
  };
  const replacements = new Map<Node, readonly Node[]>();
  for (const node of graph.nodes) {
    const producer = producers.get(node.inputs[0] ?? "");
    if (!producer || !isInferenceNormalization(node)) continue;
    if (uses.get(producer.outputs[0]!) !== 1 || inRegion.has(node) || inRegion.has(producer)) continue;
    const affine = affineOf(node, graph);
    const folded = affine && foldInto(producer, affine, graph);
    if (!folded) continue;
    const weight = add(producer.inputs[1], `${producer.name}:weight`, folded.weight);
    const bias = add(producer.inputs[2], `${producer.name}:bias`, folded.bias);
    const inputs = [producer.inputs[0]!, weight, bias];
    replacements.set(producer, []);
    replacements.set(node, [{ ...producer, inputs, outputs: [node.outputs[0]!], attributes: folded.attributes }]);
  }
  if (replacements.size === 0) return graph;
  const nodes = graph.nodes.flatMap((node) => replacements.get(node) ?? [node]);
  return eliminateDeadCode({ ...graph, nodes, initializers, types });
}

function countUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const use = (name: string): void => {
    uses.set(name, (uses.get(name) ?? 0) + 1);
  };
  for (const node of graph.nodes) consumedNames(node).forEach(use);
  for (const { name } of graph.outputs) use(name);
  for (const region of graph.customGradients) [...region.inputs, ...region.outputs].forEach(use);
  return uses;
}

function freshName(stem: string, types: ReadonlyMap<string, unknown>): string {
  let name = stem;
  for (let count = 1; types.has(name); count++) name = `${stem}_${count}`;
  return name;
}

function isInferenceNormalization(node: Node): boolean {
  return (
    node.domain === "" &&
    node.operator === "BatchNormalization" &&
    attributeOf(node, "training_mode", "int", 0) === 0 &&
    node.outputs.slice(1).every((name) => name === "")
  );
}

/** y = scale·x + shift, channel by channel. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

function affineOf(node: Node, graph: Graph): Affine | undefined {
  const [gamma, beta, mean, variance] = node.inputs.slice(1).map((name) => floatsOf(graph, name));
  if (!gamma || !beta || !mean || !variance) return undefined;
  const epsilon = attributeOf(node, "epsilon", "float", 1e-5);
  const scale = Float64Array.from(gamma, (value, channel) => value / Math.sqrt(variance[channel]! + epsilon));
  const shift = Float64Array.from(beta, (value, channel) => value - mean[channel]! * scale[channel]!);
  return { scale, shift };
}

type Floats = Float32Array | Float64Array;

function floatsOf(graph: Graph, name: string | undefined): Floats | undefined {
  const data = graph.initializers.get(name ?? "")?.data;
  return data instanceof Float32Array || data instanceof Float64Array ? data : undefined;
}

interface Folded {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

function foldInto(producer: Node, affine: Affine, graph: Graph): Folded | undefined {
  const [, weightName = "", biasName = ""] = producer.inputs;
  const weight = graph.initializers.get(weightName);
  const data = floatsOf(graph, weightName);
  const channels = affine.scale.length;
  if (!weight || !data || graph.annotations.get(weightName)?.powerOfTwo) return undefined;
  const channelOf = outputChannel(producer, weight.dimensions, channels);
  const bias = biasName === "" ? new Float32Array(1) : floatsOf(graph, biasName);
  if (!channelOf || !bias || (bias.length !== 1 && bias.length !== channels)) return undefined;
  const { beta, ...attributes } = producer.attributes;
  const biasFactor = beta?.kind === "float" ? beta.value : 1;
  const Data = data.constructor as { new (length: number): Floats };
  const newWeight = new Data(data.length);
  for (let index = 0; index < data.length; index++) newWeight[index] = data[index]! * affine.scale[channelOf(index)]!;
  const newBias = new Data(channels);
  for (let channel = 0; channel < channels; channel++) {
    const before = biasFactor * bias[bias.length === 1 ? 0 : channel]!;
    newBias[channel] = before * affine.scale[channel]! + affine.shift[channel]!;
  }
  return {
    weight: tensorFromData(weight.elementType, weight.dimensions, newWeight),
    bias: tensorFromData(weight.elementType, [channels], newBias),
    attributes,
  };
}

/** From a weight's position in memory to its output channel; undefined for operators and shapes that are not folded. */
function outputChannel(
  { domain, operator, attributes }: Node,
  dimensions: readonly number[],
  channels: number,
): ((index: number) => number) | undefined {
  if (domain !== "") return undefined;
  const [first = 0, second = 0] = dimensions;
  const inner = elementCount(dimensions.slice(operator === "ConvTranspose" ? 2 : 1));
  const group = attributes.group?.kind === "int" ? attributes.group.value : 1;
  switch (operator) {
    case "Conv":
      return first === channels ? (index) => Math.floor(index / inner) : undefined;
    case "ConvTranspose": {
      if (second * group !== channels) return undefined;
      const inputsPerGroup = first / group;
      return (index) => {
        const row = Math.floor(index / inner);
        return Math.floor(Math.floor(row / second) / inputsPerGroup) * second + (row % second);
      };
    }
    case "Gemm": {
      const isTransposed = attributes.transB?.value === 1;
      if ((isTransposed ? first : second) !== channels) return undefined;
      return isTransposed ? (index) => Math.floor(index / second) : (index) => index % second;
    }
    default:
      return undefined;
  }
}
