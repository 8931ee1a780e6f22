// The graph in memory: ONNX's operator set as plain typed objects. No behaviour here.

import type { TensorAnnotation } from "../annotations/annotation.js";
import type { CustomGradient } from "../autodiff/rule.js";
import type { ElementType, TensorData } from "./element-type.js";

/** A size, or the name of one that is known at run time only (`"batch"`). Equal names are equal sizes. */
export type Dimension = number | string;

export type Shape = readonly Dimension[];

/** Type of a value. `shape` is absent where not even the rank is known. */
export interface TensorType {
  readonly elementType: ElementType;
  readonly shape?: Shape | undefined;
}

/** A constant. `data` is absent in shape-only graphs whose external data was not there. */
export interface Tensor {
  readonly elementType: ElementType;
  readonly dimensions: readonly number[];
  readonly data?: TensorData | undefined;
}

/** An attribute of a node, with the kind that ONNX gives it. */
export type Attribute =
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "tensor"; readonly value: Tensor }
  | { readonly kind: "graph"; readonly value: Graph }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "floats"; readonly value: readonly number[] }
  | { readonly kind: "strings"; readonly value: readonly string[] }
  | { readonly kind: "tensors"; readonly value: readonly Tensor[] }
  | { readonly kind: "graphs"; readonly value: readonly Graph[] }
  /** In a function's body only: `value` names the function's attribute that is put here, `of` its kind. */
  | { readonly kind: "reference"; readonly value: string; readonly of: Exclude<Attribute["kind"], "reference"> };

/** One operation. Absent optional inputs and outputs are empty strings. */
export interface Node {
  readonly name: string;
  /** `""` is ONNX's own domain. */
  readonly domain: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A named value with its type. */
export interface Value {
  readonly name: string;
  readonly type: TensorType;
}

/** Nodes are in topological order. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Types of all values that are known, inputs, initializers and outputs included. */
  readonly types: ReadonlyMap<string, TensorType>;
  /** What the hardware should know of a tensor: bit-width, sparsity, structure. */
  readonly annotations: ReadonlyMap<string, TensorAnnotation>;
  /** Regions whose gradient is not the chain rule over their nodes. They live in memory only. */
  readonly customGradients: readonly CustomGradient[];
}

/** A graph with what surrounds it in a file. */
export interface Model {
  readonly graph: Graph;
  /** Version of each operator set in use, by domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly producer?: string | undefined;
  readonly functions: readonly FunctionDefinition[];
}

/** A model-local function: the body, in standard operators, of an operator outside ONNX's own domain. */
export interface FunctionDefinition {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of the attributes that have no default. */
  readonly attributes: readonly string[];
  readonly attributeDefaults?: Readonly<Record<string, Attribute>> | undefined;
  readonly nodes: readonly Node[];
  readonly opsets: ReadonlyMap<string, number>;
}

/** The domain of Dovetail's own operators (gradients of convolution and the like); each has an expansion in standard ones. */
export const dovetailDomain = "ai.dovetail";

/** The operator set that is written unless a tensor needs a newer one. */
export const defaultOpset = 18;
