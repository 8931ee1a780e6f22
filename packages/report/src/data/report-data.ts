// What a report is made of. The types of candidates, constraints and the search's trace have the fields of a
// co-search's result, so that a result can be passed as it is.
import type { Architecture, Mapping, MappingCost, PipelineResult, Problem } from "@dovetail/hardware";

/** Lower and upper end. */
export type Interval = readonly [number, number];

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
  /** Blocks of 18 Kb. */
  readonly bram?: number | undefined;
}

/** One bound: `name` is a field of the hardware figures. */
export interface ConstraintOutcome {
  readonly name: string;
  readonly limit: number;
  readonly actual: number;
  readonly met: boolean;
}

/** One layer on the accelerator. ASIC layers carry a mapping with its cost, FPGA layers the chunk that runs them. */
export interface LayerResult {
  /** Of the graph's node: scopes joined by dots or slashes, last the operator's type, such as `stage1.0.basic_k3/first/conv/Conv`. */
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

/** A network on its hardware. Accuracies are absent where no data set was at hand. */
export interface ReportCandidate {
  readonly name: string;
  /** Chosen operators, in the order of the trace's positions. */
  readonly operators?: readonly string[] | undefined;
  readonly accuracyFraction?: number | undefined;
  readonly accuracyInterval95?: Interval | undefined;
  readonly float32AccuracyFraction?: number | undefined;
  readonly validationAccuracyFraction?: number | undefined;
  readonly trainingMacs?: number | undefined;
  readonly macs: number;
  readonly parameters: number;
  readonly accelerator: AcceleratorResult;
  readonly hardware: HardwareFigures;
  readonly layers: readonly LayerResult[];
}

/** What the result is compared with. */
export interface ReportBaseline extends ReportCandidate {
  /** Accuracy of the found network minus this one's on the same test images, with its 95 % interval. */
  readonly pairedDifference95?: { readonly difference: number; readonly interval95: Interval } | undefined;
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
  readonly hardwareWeight?: number | undefined;
  readonly meanEntropyFraction: number;
}

/** How distributions developed. All lists are empty where nothing of the kind was searched. */
export interface SearchTrace {
  readonly positions: readonly string[];
  readonly operators: readonly string[];
  readonly points: readonly SearchPoint[];
  /** Operator probabilities at some steps: [position][operator]. */
  readonly operatorDistributions: readonly {
    readonly step: number;
    readonly probabilities: readonly (readonly number[])[];
  }[];
  /** Accelerator parameters' distributions after each redesign. */
  readonly acceleratorDistributions: readonly {
    readonly step: number;
    readonly parameters: readonly {
      readonly name: string;
      readonly options: readonly number[];
      readonly probabilities: readonly number[];
    }[];
  }[];
  /** Cost of each design of the final accelerator search, and the best so far; natural logarithms, null where infeasible. */
  readonly acceleratorTrace: readonly {
    readonly evaluation: number;
    readonly logCost: number | null;
    readonly bestLogCost: number | null;
  }[];
}

/** A test image with what the network says about it. */
export interface TestImage {
  /** Planes of bytes: channels × height × width. */
  readonly bytes: Uint8Array;
  readonly channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  readonly label: string;
  readonly predicted: string;
  /** That the network gives to what it predicts. */
  readonly probability: number;
}

/** Where the figures come from. */
export interface Reproduction {
  /** The command that began the run. */
  readonly command: string;
  readonly seed: number;
  /** By component. */
  readonly versions: Readonly<Record<string, string>>;
  /** SHA-256 by path. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What depends on the clock, and may differ from run to run. */
  readonly times?: readonly { readonly name: string; readonly seconds: number }[] | undefined;
}

export interface ReportData {
  /** Heading, such as the recipe's name. */
  readonly title: string;
  readonly objective: "edp" | "framesPerSecond";
  /** The recipe as it was read. */
  readonly recipe: string;
  /** What the network was trained and tested on. */
  readonly data?:
    | {
        readonly name: string;
        readonly classes: number;
        readonly trainingImages: number;
        readonly validationImages: number;
        readonly testImages: number;
      }
    | undefined;
  /** Bits of weights and activations at which accuracy is measured and cost is charged. */
  readonly precision: { readonly weightBits: number; readonly activationBits: number };
  readonly constraints: readonly ConstraintOutcome[];
  readonly found: ReportCandidate;
  readonly baselines: readonly ReportBaseline[];
  readonly trace: SearchTrace;
  readonly effort: { readonly trainingMacs: number; readonly optimizerSteps: number; readonly evaluations: number };
  readonly testImages: readonly TestImage[];
  readonly reproduction: Reproduction;
}
