import { elementTypes } from "../ir/element-type.js";
import type { Attribute, Graph, Node, Tensor, TensorType } from "../ir/graph.js";
import { subgraphsOf } from "../ir/subgraphs.js";
import { printShape, printType } from "../shape/infer.js";

/**
 * A readable listing: inputs, constants, one line a node with its types, outputs, and how many parameters there are.
 * The same graph gives the same text.
 */
export function printGraph(graph: Graph): string {
  return `${graphLines(graph).join("\n")}\n`;
}

function graphLines(graph: Graph): string[] {
  const typeOf = (name: string): TensorType | undefined => graph.types.get(name);
  return [
    `graph ${quote(graph.name)}`,
    ...section(
      "inputs",
      graph.inputs.map(({ name, type }) => valueLine(graph, name, type)),
    ),
    ...section(
      "constants",
      [...graph.initializers].map(([name, constant]) => constantLine(graph, name, constant)),
    ),
    ...section(
      "nodes",
      graph.nodes.flatMap((node) => nodeLines(node, typeOf)),
    ),
    ...section(
      "outputs",
      graph.outputs.map(({ name, type }) => valueLine(graph, name, type)),
    ),
    `total: ${counted(graph.nodes.length, "node")}, ${parameterCount(graph)}`,
  ];
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];

function valueLine(graph: Graph, name: string, type: TensorType): string {
  return `${name}: ${printType(type)}${annotationText(graph, name)}`;
}

const longestPrintedConstant = 8;

function constantLine(graph: Graph, name: string, constant: Tensor): string {
  const { elementType, dimensions, data } = constant;
  const type = `${elementType}${printShape(dimensions)}`;
  let values = "";
  if (data === undefined) values = " (values not loaded)";
  else if (data.length <= longestPrintedConstant && elementTypes[elementType].bits !== 16)
    values = ` = ${shortValues(data)}`;
  return `${name}: ${type}${values}${annotationText(graph, name)}`;
}

function shortValues(data: NonNullable<Tensor["data"]>): string {
  const values = Array.from(data as ArrayLike<number | bigint | string>, (value) => {
    if (typeof value === "number") return shortNumber(value);
    return typeof value === "string" ? quote(value) : `${value}`;
  });
  return values.length === 1 ? values[0]! : `[${values.join(", ")}]`;
}

function annotationText(graph: Graph, name: string): string {
  const annotation = graph.annotations.get(name);
  const parts = Object.entries(annotation ?? {}).filter(([, value]) => value !== undefined);
  return parts.length === 0 ? "" : ` {${parts.map(([field, value]) => `${field} ${value}`).join(", ")}}`;
}

function nodeLines(node: Node, typeOf: (name: string) => TensorType | undefined): string[] {
  const operator = node.domain === "" ? node.operator : `${node.domain}.${node.operator}`;
  const outputs = node.outputs.map((name) => (name === "" ? "_" : `${name}: ${printKnown(typeOf(name))}`));
  const inputs = node.inputs.map((name) => (name === "" ? "_" : name));
  const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const settings = attributes.map(([name, attribute]) => `${name}=${attributeText(attribute)}`);
  const line = `${outputs.join(", ")} = ${operator}(${[...inputs, ...settings].join(", ")})`;
  const nested = subgraphsOf(node).flatMap((subgraph) => graphLines(subgraph).map((text) => `  ${text}`));
  return [line, ...nested];
}

const printKnown = (type: TensorType | undefined): string => (type ? printType(type) : "unknown");

function attributeText(attribute: Attribute): string {
  switch (attribute.kind) {
    case "int":
    case "float":
      return shortNumber(attribute.value);
    case "ints":
    case "floats":
      return `[${attribute.value.map(shortNumber).join(",")}]`;
    case "string":
      return quote(attribute.value);
    case "strings":
      return `[${attribute.value.map(quote).join(",")}]`;
    case "tensor":
      return tensorText(attribute.value);
    case "tensors":
      return `[${attribute.value.map(tensorText).join(",")}]`;
    case "graph":
      return `graph ${quote(attribute.value.name)}`;
    case "graphs":
      return `[${attribute.value.map(({ name }) => `graph ${quote(name)}`).join(",")}]`;
    case "reference":
      return `@${attribute.value}`;
  }
}

function tensorText({ elementType, dimensions, data }: Tensor): string {
  const isShort = data !== undefined && data.length <= longestPrintedConstant && elementTypes[elementType].bits !== 16;
  return `${elementType}${printShape(dimensions)}${isShort ? ` ${shortValues(data)}` : ""}`;
}

const shortNumber = (value: number): string => `${Number(value.toPrecision(6))}`;

const quote = (text: string): string => JSON.stringify(text);

function parameterCount(graph: Graph): string {
  let parameters = 0;
  let bytes = 0;
  for (const { elementType, dimensions } of graph.initializers.values()) {
    const count = dimensions.reduce((product, size) => product * size, 1);
    if (elementTypes[elementType].isFloat) parameters += count;
    bytes += Math.ceil((count * elementTypes[elementType].bits) / 8);
  }
  return `${counted(parameters, "floating-point parameter")} in constants of ${counted(bytes, "byte")}`;
}

const counted = (count: number, noun: string): string =>
  `${`${count}`.replace(/\B(?=(\d{3})+$)/g, ",")} ${noun}${count === 1 ? "" : "s"}`;
