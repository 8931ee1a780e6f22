import { inputError } from "@dovetail/core";
import {
  adderConvFunction,
  bindParameters,
  dovetailDomain,
  expandOwnOperators,
  type Graph,
  type Model,
  modelOf,
  printShape,
  scalar,
  type Tensor,
} from "@dovetail/graph";
import type { Network } from "./network.js";
import { predictionGraph } from "./prediction-graph.js";

export interface ExportOptions {
  /** Written as JSON under the metadata key `classNames`, in the order of the logits. */
  readonly classNames?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** What the scalar inputs are bound to, by name; each one's own value where nothing is said. */
  readonly scalars?: Readonly<Record<string, number>> | undefined;
}

/** Operators of Dovetail's domain that files keep, with their bodies in standard operators. */
const keptOperators = { AdderConv: adderConvFunction };

/**
 * The network with its weights as one model in standard operators: parameters and scalars are initializers, the image is
 * the only input. Add layers stay nodes of their own, whose body is a model-local function in standard operators.
 * Throws when a parameter is missing or has another shape, or when there are not as many class names as classes.
 */
export function exportModel(
  network: Network,
  weights: ReadonlyMap<string, Tensor>,
  options: ExportOptions = {},
): Model {
  const constants = new Map<string, Tensor>();
  for (const { name, shape } of network.parameters) {
    const weight = weights.get(name);
    if (!weight) {
      throw inputError("missing_parameter", `parameter "${name}" of network "${network.name}"`, {
        expected: `float32${printShape(shape)}`,
        received: "nothing",
      });
    }
    constants.set(name, weight);
  }
  for (const { name, value } of network.scalars) constants.set(name, scalar(options.scalars?.[name] ?? value));
  const graph = bindParameters(fileGraph(network), constants);
  return withFunctions(modelOf(graph, { metadata: metadataOf(network, options) }));
}

/** The network's prediction in standard operators and those of Dovetail's domain that files keep. */
export function fileGraph(network: Network): Graph {
  return expandOwnOperators(predictionGraph(network), { except: new Set(Object.keys(keptOperators)) });
}

/** The model with the bodies of its operators of Dovetail's domain, so that any ONNX Runtime can run it. */
export function withFunctions(model: Model): Model {
  const kept = Object.entries(keptOperators).filter(([name]) =>
    model.graph.nodes.some(({ domain, operator }) => domain === dovetailDomain && operator === name),
  );
  return { ...model, functions: kept.map(([, definition]) => definition()) };
}

function metadataOf(network: Network, { classNames, metadata }: ExportOptions): Map<string, string> {
  const entries = new Map(Object.entries(metadata ?? {}));
  if (classNames && classNames.length !== network.classCount) {
    throw inputError("class_names", `class names of network "${network.name}"`, {
      expected: `${network.classCount}`,
      received: `${classNames.length}`,
    });
  }
  if (classNames) entries.set("classNames", JSON.stringify(classNames));
  return entries;
}

/** The class names that `exportModel` wrote, or undefined when the model carries none. */
export function classNamesOf(model: Model): readonly string[] | undefined {
  const text = model.metadata.get("classNames");
  if (text === undefined) return undefined;
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    names = undefined;
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw inputError("class_names", `metadata "classNames" of model "${model.graph.name}"`, {
      expected: "a JSON array of strings",
      received: text.slice(0, 60),
    });
  }
  return names;
}
