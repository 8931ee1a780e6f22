// The main job for a network of the user's own: nothing is trained, only accelerator and mapping are searched.
import { inputError, type RandomStream, type Watch } from "@dovetail/core";
import { type Graph, type Model, type Tensor, writeModel } from "@dovetail/graph";
import { countMacs, networkOfModel, parameterCount } from "@dovetail/models";
import { exportQdqModel, prepareQuantization, withBitWidths } from "@dovetail/quant";
import type { Runtime } from "@dovetail/runtime";
import type { ImageDataset } from "@dovetail/train";
import { measureFloat32, measureModel, type TrainedCandidate } from "./candidate.js";
import { requireConstraints } from "./constraints.js";
import { type CoSearchOptions, chargedPrecision, isSwitchable } from "./options.js";
import type { CandidateResult, CoSearchResult } from "./result.js";
import type { DesignedHardware } from "./target.js";
import { createTarget } from "./targets.js";

export interface DesignTask {
  readonly options: CoSearchOptions;
  /** An image classifier in float32 that takes raw pixels, or one that is quantized already. */
  readonly model: Model;
  /** For the ranges of activations and for the accuracy. */
  readonly dataset: ImageDataset;
  readonly runtime: Runtime;
  readonly random: RandomStream;
  readonly watch?: Watch | undefined;
}

/** Operators that only quantized models have. */
const quantizedOperators: ReadonlySet<string> = new Set([
  "QuantizeLinear",
  "DequantizeLinear",
  "QLinearConv",
  "QLinearMatMul",
]);

/**
 * Accelerator and mapping for the user's own network. A float32 network is quantized after training to the precision
 * asked for, so that accuracy and cost are of the same thing; one that is quantized already is taken as it is. The
 * baseline is the same network on the reference accelerator. Throws input errors where the model is no image classifier
 * or constraints cannot be met.
 */
export async function designForNetwork(task: DesignTask): Promise<CoSearchResult> {
  const { options, random, watch = {} } = task;
  if (isSwitchable(options)) {
    throw inputError("nothing_is_trained", "a network of your own is not trained, as this asks for", {
      path: [options.precision === "switchable" ? "precision" : "defence"],
      expected: "a fixed precision and no defence",
      received: options.precision === "switchable" ? "switchable" : options.defence,
    });
  }
  if (options.compress !== "none") {
    throw inputError("nothing_is_trained", "a network of your own is not trained, as this asks for", {
      path: ["compress"],
      expected: "none",
      received: options.compress,
      hint: "`dovetail compress` compresses it",
    });
  }
  const target = createTarget(options, random.split("hardware"));
  const candidate = await deliver(task);
  const request = { graph: candidate.graph, random: random.split("accelerator"), watch };
  const searched = await target.design({ ...request, accelerator: "searched" });
  requireConstraints(target.constraints(searched.hardware));
  const reference = await target.design({ ...request, accelerator: "reference" });
  const measured = await measure(task, candidate);
  return {
    found: { ...measured, ...figuresOf(searched), name: "found" },
    baselines: [{ ...measured, ...figuresOf(reference), name: "reference-accelerator" }],
    constraints: target.constraints(searched.hardware),
    trace: {
      positions: [],
      operators: [],
      points: [],
      operatorDistributions: [],
      acceleratorDistributions: [],
      acceleratorTrace: searched.trace,
    },
    effort: { trainingMacs: 0, optimizerSteps: 0, evaluations: searched.evaluations },
  };
}

type Delivered = Pick<TrainedCandidate, "onnx" | "graph" | "macs" | "parameters" | "float32">;

/** The file that is delivered, and the graph that the hardware reads. */
async function deliver({ options, model, dataset, runtime }: DesignTask): Promise<Delivered> {
  const { network, weights } = networkOfModel(model);
  const facts = {
    macs: countMacs(network.graph),
    parameters: parameterCount(network, { trainableOnly: true }),
    float32: { network, weights },
  };
  if (isQuantized(model.graph)) return { ...facts, onnx: writeModel(model), graph: model.graph };
  const precision = chargedPrecision(options);
  const prepared = await prepareQuantization({ runtime, network, weights, dataset, ...precision });
  const quantized = exportQdqModel(prepared.folded, prepared.weights, { ...precision, classNames: dataset.classNames });
  return { ...facts, onnx: writeModel(quantized), graph: withBitWidths(prepared.folded, precision) };
}

function isQuantized({ nodes }: Graph): boolean {
  return nodes.some(({ operator }) => quantizedOperators.has(operator));
}

function figuresOf({
  accelerator,
  hardware,
  layers,
}: DesignedHardware): Pick<CandidateResult, "accelerator" | "hardware" | "layers"> {
  return { accelerator, hardware, layers };
}

type Measured = Omit<CandidateResult, "name" | "accelerator" | "hardware" | "layers">;

async function measure(task: DesignTask, candidate: Delivered): Promise<Measured> {
  const context = { ...task, watch: task.watch ?? {} };
  const validation = await measureModel(candidate.onnx, context, "validation");
  const test = await measureModel(candidate.onnx, context, "test");
  const float32 = await measureFloat32(candidate, context, "test");
  return {
    onnx: candidate.onnx,
    weights: candidate.float32.weights as ReadonlyMap<string, Tensor>,
    accuracyFraction: test.accuracyFraction,
    float32AccuracyFraction: float32.accuracyFraction,
    validationAccuracyFraction: validation.accuracyFraction,
    testPredictions: Uint16Array.from(test.predictions),
    trainingMacs: 0,
    optimizerSteps: 0,
    macs: candidate.macs,
    parameters: candidate.parameters,
  };
}
