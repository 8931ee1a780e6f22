import { inputError } from "@dovetail/core";
import { type SystolicLayer, systolicConvolution } from "../systolic/layer.js";
import type { ReadScaleSimOptions } from "./scalesim-config.js";

// SCALE-Sim's topology: a CSV, a line a layer. The convolution form has the input's and the kernel's sizes, the matrix
// form (`-i gemm`) has M, N, K. Lines end in a comma, which the tool needs and we do not.

/** N of every M weights along the kernel are kept; 1:1 is dense. */
export interface ScaleSimSparsity {
  readonly kept: number;
  readonly block: number;
}

/** A line of the convolution form. */
export interface ScaleSimConvolution {
  readonly name: string;
  readonly inputHeight: number;
  readonly inputWidth: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly channels: number;
  readonly filters: number;
  readonly stride: number;
  readonly sparsity: ScaleSimSparsity;
  /** Line of the file, the first being 1. */
  readonly line?: number | undefined;
}

/** A line of the matrix form: [m × k] · [k × n]. */
export interface ScaleSimProduct {
  readonly name: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly sparsity: ScaleSimSparsity;
  readonly line?: number | undefined;
}

export type ScaleSimTopology =
  | { readonly form: "convolution"; readonly layers: readonly ScaleSimConvolution[] }
  | { readonly form: "gemm"; readonly layers: readonly ScaleSimProduct[] };

export interface ReadTopologyOptions extends ReadScaleSimOptions {
  /** Which form; default: the matrix form when the heading names M, N and K, else the convolution form. */
  readonly form?: "convolution" | "gemm" | undefined;
}

const TEXT_LIMIT = 2 ** 22;
const LAYER_LIMIT = 20_000;

const convolutionFields = [
  "inputHeight",
  "inputWidth",
  "kernelHeight",
  "kernelWidth",
  "channels",
  "filters",
  "stride",
] as const;
const productFields = ["m", "n", "k"] as const;

/** Headings that name the columns in messages, and in the files that we write. */
const convolutionHeadings = [
  "Layer name",
  "IFMAP Height",
  "IFMAP Width",
  "Filter Height",
  "Filter Width",
  "Channels",
  "Num Filter",
  "Strides",
];
const productHeadings = ["Layer", "M", "N", "K"];

/**
 * A SCALE-Sim topology. The first line is the heading; lines without any value are skipped; a last column `N:M` is the sparsity.
 *
 * @throws DovetailError `scalesim_topology` with file, line and column name for lines that do not describe a layer.
 */
export function readScaleSimTopology(text: string, { file, form }: ReadTopologyOptions = {}): ScaleSimTopology {
  if (text.length > TEXT_LIMIT) {
    throw inputError("scalesim_topology", "too long for a topology", {
      file,
      expected: `at most ${TEXT_LIMIT} characters`,
      received: String(text.length),
    });
  }
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const isProduct = form === undefined ? namesProduct(lines[0] ?? "") : form === "gemm";
  const rows = lines.map((line, index) => ({ line, number: index + 1 })).slice(1);
  const used = rows.filter(({ line }) => /[^,\s]/.test(line));
  if (used.length === 0 || used.length > LAYER_LIMIT) {
    throw inputError("scalesim_topology", used.length === 0 ? "no layer below the heading" : "too many layers", {
      file,
      expected: `1 to ${LAYER_LIMIT} lines of layers`,
      received: String(used.length),
    });
  }
  if (isProduct) {
    const layers = used.map(({ line, number }): ScaleSimProduct => {
      const { sizes, ...rest } = parseRow(line, number, productFields, productHeadings, file);
      return { ...rest, ...sizes };
    });
    return { form: "gemm", layers };
  }
  const layers = used.map(({ line, number }): ScaleSimConvolution => {
    const { sizes, ...rest } = parseRow(line, number, convolutionFields, convolutionHeadings, file);
    checkKernel(sizes.kernelHeight, sizes.inputHeight, "Filter Height", number, file);
    checkKernel(sizes.kernelWidth, sizes.inputWidth, "Filter Width", number, file);
    return { ...rest, ...sizes };
  });
  return { form: "convolution", layers };
}

/** The text of a topology, as SCALE-Sim reads it. Layers of other sparsity than 1:1 add its column. */
export function writeScaleSimTopology(topology: ScaleSimTopology): string {
  const hasSparsity = topology.layers.some(({ sparsity }) => !isDense(sparsity));
  const headings = topology.form === "gemm" ? productHeadings : convolutionHeadings;
  const sizes =
    topology.form === "gemm"
      ? topology.layers.map((layer) => productFields.map((field) => layer[field]))
      : topology.layers.map((layer) => convolutionFields.map((field) => layer[field]));
  const rows = topology.layers.map(({ name, sparsity }, index) => [
    cellOf(name),
    ...sizes[index]!,
    ...(hasSparsity ? [`${sparsity.kept}:${sparsity.block}`] : []),
  ]);
  return [[...headings, ...(hasSparsity ? ["Sparsity"] : [])], ...rows]
    .map((cells) => `${cells.join(",")},\n`)
    .join("");
}

/**
 * The matrix products of a topology's layers. As in the tool, a convolution whose name holds `DP` is depth-wise: each
 * channel is a product of its own.
 *
 * @throws DovetailError `systolic_layer` for sizes that make no layer.
 */
export function systolicLayersOf(topology: ScaleSimTopology): SystolicLayer[] {
  if (topology.form === "gemm") {
    return topology.layers.map(({ name, m, n, k }) => ({ name, rows: m, inner: k, columns: n }));
  }
  return topology.layers.map((layer) => {
    const isDepthwise = layer.name.includes("DP");
    return systolicConvolution({
      name: layer.name,
      inputHeight: layer.inputHeight,
      inputWidth: layer.inputWidth,
      kernelHeight: layer.kernelHeight,
      kernelWidth: layer.kernelWidth,
      channels: isDepthwise ? 1 : layer.channels,
      filters: layer.filters,
      strideHeight: layer.stride,
      strideWidth: layer.stride,
      ...(isDepthwise && { products: layer.channels }),
    });
  });
}

/** True for 1:1. */
export function isDense({ kept, block }: ScaleSimSparsity): boolean {
  return kept === block;
}

interface ParsedRow<Field extends string> {
  readonly name: string;
  readonly line: number;
  readonly sizes: Readonly<Record<Field, number>>;
  readonly sparsity: ScaleSimSparsity;
}

function parseRow<Field extends string>(
  text: string,
  line: number,
  fields: readonly Field[],
  headings: readonly string[],
  file: string | undefined,
): ParsedRow<Field> {
  const cells = text.split(",").map((cell) => cell.trim());
  while (cells.at(-1) === "") cells.pop();
  const least = fields.length + 1;
  if (cells.length < least || cells.length > least + 1) {
    throw inputError("scalesim_topology", "wrong number of columns", {
      file,
      line,
      expected: `${headings.join(", ")}, and perhaps the sparsity N:M`,
      received: `${cells.length} columns`,
    });
  }
  const sizes = Object.fromEntries(
    fields.map((field, index) => [field, sizeOf(cells[index + 1]!, headings[index + 1]!, line, file)]),
  ) as Record<Field, number>;
  return { name: cells[0]!, line, sizes, sparsity: sparsityOf(cells[least], line, file) };
}

function sizeOf(text: string, column: string, line: number, file: string | undefined): number {
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw inputError("scalesim_topology", "not a size", {
    file,
    line,
    path: [column],
    expected: "a whole number from 1 to 999999999",
    received: text.slice(0, 60),
  });
}

function sparsityOf(text: string | undefined, line: number, file: string | undefined): ScaleSimSparsity {
  const match = /^(\d{1,4}):(\d{1,4})$/.exec(text ?? "1:1");
  const [kept, block] = [Number(match?.[1]), Number(match?.[2])];
  if (kept >= 1 && kept <= block) return { kept, block };
  throw inputError("scalesim_topology", "not a sparsity", {
    file,
    line,
    path: ["Sparsity"],
    expected: "N:M with N at most M, such as 2:4",
    received: text?.slice(0, 60),
  });
}

function checkKernel(kernel: number, input: number, column: string, line: number, file: string | undefined): void {
  if (kernel <= input) return;
  throw inputError("scalesim_topology", "the kernel is larger than its input", {
    file,
    line,
    path: [column],
    expected: `at most ${input}`,
    received: String(kernel),
  });
}

function namesProduct(heading: string): boolean {
  const cells = heading.split(",").map((cell) => cell.trim().toUpperCase());
  return ["M", "N", "K"].every((name) => cells.includes(name));
}

/** A cell cannot hold a comma or a line break: the tool knows no quotes. */
function cellOf(name: string): string {
  return name.replace(/[,\r\n]+/g, " ").trim();
}
