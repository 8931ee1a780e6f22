// What a co-search gives back: plain data for the run folder and the report.

import type { Tensor } from "@dovetail/graph";
import type { Architecture, Mapping, MappingCost, PipelineResult, Problem } from "@dovetail/hardware";

/** Cost of one network on one piece of hardware. Fields that the target has no model for are absent. */
export interface HardwareFigures {
  /** Name of the accelerator or board. */
  readonly target: string;
  readonly clockHz: number;
  readonly latencyCycles: number;
  readonly latencyMs: number;
  readonly framesPerSecond: number;
  readonly energyPj?: number | undefined;
  readonly edpJouleSeconds?: number | undefined;
  readonly areaMm2?: number | undefined;
  readonly dsp?: number | undefined;
  readonly bram?: number | undefined;
}

/** One bound: `name` is a field of the hardware figures. */
export interface ConstraintOutcome {
  readonly name: string;
  readonly limit: number;
  readonly actual: number;
  readonly met: boolean;
}

/** One layer on the accelerator. ASIC layers carry a mapping, FPGA layers the chunk that runs them. */
export interface LayerResult {
  readonly name: string;
  readonly problem: Problem;
  readonly macs: number;
  readonly latencyCycles: number;
  readonly mapping?: Mapping | undefined;
  readonly cost?: MappingCost | undefined;
  readonly chunk?: string | undefined;
}

/** A design for the network. */
export type AcceleratorResult =
  | {
      readonly kind: "asic";
      readonly architecture: Architecture;
      readonly parameters: Readonly<Record<string, number>>;
    }
  | { readonly kind: "fpga"; readonly board: string; readonly clockHz: number; readonly pipeline: PipelineResult };

/** A network that was trained, quantized, exported and measured, on its hardware. */
export interface CandidateResult {
  readonly name: string;
  /** `model` as ONNX bytes: takes raw pixels, holds preprocessing and class names. */
  readonly onnx: Uint8Array;
  /** Trained float32 parameters by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly operators?: readonly string[] | undefined;
  readonly accuracyFraction: number;
  readonly float32AccuracyFraction: number;
  readonly validationAccuracyFraction: number;
  /** Predicted class of each test image. */
  readonly testPredictions: Uint8Array | Uint16Array;
  readonly trainingMacs: number;
  readonly optimizerSteps: number;
  readonly macs: number;
  readonly parameters: number;
  readonly accelerator: AcceleratorResult;
  readonly hardware: HardwareFigures;
  readonly layers: readonly LayerResult[];
}

/** A point of the search's course. */
export interface SearchPoint {
  readonly step: number;
  readonly phase: "warm-up" | "search";
  readonly trainingLoss: number;
  readonly validationLoss?: number | undefined;
  readonly temperature: number;
  /** Natural logarithm of the expected cost under the operator distributions. */
  readonly expectedLogCost?: number | undefined;
  /** λ, the weight of the logarithm of the cost against the validation loss. */
  readonly hardwareWeight: number;
  readonly meanEntropyFraction: number;
}

/** How distributions developed. */
export interface SearchTrace {
  readonly positions: readonly string[];
  readonly operators: readonly string[];
  readonly points: readonly SearchPoint[];
  /** Operator probabilities at some steps: [position][operator]. */
  readonly operatorDistributions: readonly {
    readonly step: number;
    readonly probabilities: readonly (readonly number[])[];
  }[];
  /** Accelerator parameters' distributions after each redesign; empty where an exact solver designs. */
  readonly acceleratorDistributions: readonly {
    readonly step: number;
    readonly parameters: readonly {
      readonly name: string;
      readonly options: readonly number[];
      readonly probabilities: readonly number[];
    }[];
  }[];
  /** Each evaluation of the final accelerator search with the best cost before it; empty where an exact solver designs. */
  readonly acceleratorTrace: readonly {
    readonly evaluation: number;
    readonly logCost: number | null;
    readonly bestLogCost: number | null;
  }[];
}

/** Everything a co-search found. */
export interface CoSearchResult {
  readonly found: CandidateResult;
  readonly baselines: readonly CandidateResult[];
  readonly constraints: readonly ConstraintOutcome[];
  readonly trace: SearchTrace;
  readonly effort: { readonly trainingMacs: number; readonly optimizerSteps: number; readonly evaluations: number };
}
