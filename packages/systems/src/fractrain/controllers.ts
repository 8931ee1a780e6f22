// What steers the precision of a training step by step, and counts what it costs.

import { inputError } from "@dovetail/core";
import { tensorNumbers } from "@dovetail/graph";
import type { Json, ObservedStep, TrainingController } from "@dovetail/train";
import { z } from "zod";
import { type BitCount, bitCounterStateSchema, createBitCounter, type ImagesAt } from "./bit-counter.js";
import { isSkip, type OperandBits, type PrecisionPair } from "./cost.js";
import { advanceLossWatch, type LossWatchOptions, lossWatchStateSchema, startLossWatch } from "./epoch-losses.js";
import { gatedNames } from "./gate-plan.js";
import type { GatedNetwork } from "./gated-network.js";
import type { CountedLayer } from "./layers.js";
import { type CostTarget, costSign } from "./target-control.js";

/** A controller with the figures that it has gathered. */
export interface CountingController extends TrainingController {
  bits(): BitCount;
  /** Steps after which PFQ's indicator turned. */
  turningPoints(): readonly number[];
  /** Samples by block and choice, over the whole training; undefined without gates. */
  choices(): readonly (readonly number[])[] | undefined;
}

export const fullPrecision: OperandBits = { weightBits: 32, activationBits: 32, gradientBits: 32 };

/** Weights and activations have a pair's forward bits. */
export function bitsOfPair({ forwardBits, backwardBits }: PrecisionPair): OperandBits {
  return { weightBits: forwardBits, activationBits: forwardBits, gradientBits: backwardBits };
}

/** Values of the scalar inputs that `quantizeLayers` adds, for a group of layers or those without one. */
function quantizerScalars(bits: OperandBits, group?: string): Record<string, number> {
  const name = (kind: string): string => (group === undefined ? kind : `${group}.${kind}`);
  return {
    [name("weightBits")]: bits.weightBits,
    [name("activationBits")]: bits.activationBits,
    [name("errorBits")]: bits.gradientBits,
    [name("weightGradientBits")]: bits.gradientBits,
  };
}

/** Layers with a fixed precision of their own: stem and shortcuts beside blocks whose precision is chosen. */
export interface OuterLayers {
  readonly layers: ReadonlySet<string>;
  readonly bits: OperandBits;
  /** Of their scalar inputs. */
  readonly group?: string | undefined;
}

interface CommonOptions {
  /** Of the network that is trained. */
  readonly layers: readonly CountedLayer[];
  readonly batchSize: number;
  readonly outer?: OuterLayers | undefined;
  /** PFQ's indicator; without it the first precision, or target, stays. */
  readonly watch?: LossWatchOptions | undefined;
}

export interface PairControllerOptions extends CommonOptions {
  /** Layers whose precision is set; those that are neither here nor in `outer` compute in full precision. */
  readonly quantized: ReadonlySet<string>;
  /** One for static training; for PFQ the list through which the precision rises. */
  readonly precisions: readonly OperandBits[];
  /** Further scalar inputs, by the steps done before. */
  readonly further?: ((steps: number) => Readonly<Record<string, number>>) | undefined;
}

/** Static precision, or PFQ's. */
export function createPairController(options: PairControllerOptions): CountingController {
  const { quantized, precisions, outer, batchSize, further } = options;
  const core = createCore(options);
  const current = (): OperandBits => precisions[Math.min(core.turned().length, precisions.length - 1)]!;
  return {
    ...core.controller,
    observes: [],
    scalars: () => ({
      ...quantizerScalars(current()),
      ...(outer && quantizerScalars(outer.bits, outer.group)),
      ...further?.(core.steps()),
    }),
    observe(observed) {
      const bits = current();
      core.step(observed, ({ name }) => (quantized.has(name) ? [{ bits, images: batchSize }] : undefined));
    },
    state: () => plain(core.state()),
    restore: (state) => core.restore(parseState(coreStateSchema, state)),
    choices: () => undefined,
  };
}

export interface GateControllerOptions extends CommonOptions {
  readonly gated: GatedNetwork;
  /** Bits of the blocks' weights. */
  readonly weightBits: number;
  /** By the turning points so far. */
  readonly target: (turningPoints: number) => CostTarget;
  /** β of the published loss, whose cost is a sum over batch and blocks; 1e-3 by default. */
  readonly beta?: number | undefined;
}

/** DFQ's control of the cost, with FracTrain's rising target where there is an indicator. */
export function createGateController(options: GateControllerOptions): CountingController {
  const { gated, outer, batchSize, weightBits, target, beta = 1e-3 } = options;
  const core = createCore(options);
  const blockOf = new Map(gated.layers.map(({ name, block }) => [name, block]));
  // The published loss sums the three products' costs over batch and blocks; ours takes their mean.
  const scale = beta * batchSize * gated.blocks.length * 3;
  let cost: number | undefined;
  let choices = gated.blocks.map(() => gated.choices.map(() => 0));
  return {
    ...core.controller,
    observes: [gatedNames.cost, gatedNames.counts],
    scalars: () => ({
      ...(outer && quantizerScalars(outer.bits, outer.group)),
      [gatedNames.weightBits]: weightBits,
      [gatedNames.costFactor]: cost === undefined ? 0 : scale * costSign(cost, target(core.turned().length)),
    }),
    observe(observed) {
      const counts = countsOf(observed, gated);
      core.step(observed, ({ name }) => {
        const block = blockOf.get(name);
        return block === undefined ? undefined : imagesByChoice(gated, counts[block]!, weightBits);
      });
      choices = choices.map((row, block) => row.map((sum, choice) => sum + counts[block]![choice]!));
      cost = tensorNumbers(observed.values[gatedNames.cost]!)[0]!;
    },
    state: () => plain({ ...core.state(), cost, choices }),
    restore(state) {
      const read = parseState(gateStateSchema, state);
      core.restore(read);
      cost = read.cost;
      choices = read.choices;
    },
    choices: () => choices,
  };
}

const coreStateSchema = z.strictObject({
  counter: bitCounterStateSchema,
  watch: lossWatchStateSchema.optional(),
  turningPoints: z.array(z.number().int()),
});

const gateStateSchema = coreStateSchema.extend({ cost: z.number().optional(), choices: z.array(z.array(z.number())) });

/** Counting and watching, which all controllers do. */
function createCore({ layers, batchSize, outer, watch: watching }: CommonOptions) {
  const counter = createBitCounter(layers);
  let watch = watching && startLossWatch(watching);
  let turned: number[] = [];
  const outside = ({ name }: CountedLayer): readonly ImagesAt[] => [
    { bits: outer?.layers.has(name) ? outer.bits : fullPrecision, images: batchSize },
  ];
  return {
    turned: (): readonly number[] => turned,
    steps: (): number => counter.steps(),
    step({ step, loss }: ObservedStep, precisionsOf: (layer: CountedLayer) => readonly ImagesAt[] | undefined): void {
      counter.add(batchSize, (layer) => precisionsOf(layer) ?? outside(layer));
      if (!watch || !watching) return;
      watch = advanceLossWatch(watch, loss, watching);
      if (watch.pfq.turningPoints > turned.length) turned.push(step);
    },
    state: () => ({ counter: counter.state(), ...(watch && { watch }), turningPoints: turned }),
    restore(state: z.output<typeof coreStateSchema>): void {
      counter.restore(state.counter);
      watch = watching && state.watch;
      turned = state.turningPoints;
    },
    controller: { bits: () => counter.read(), turningPoints: (): readonly number[] => turned },
  };
}

/** How many samples of a block ran at which precision. */
function imagesByChoice({ choices }: GatedNetwork, counts: readonly number[], weightBits: number): ImagesAt[] {
  return choices.flatMap((choice, index) =>
    isSkip(choice) || counts[index] === 0 ? [] : [{ bits: { weightBits, ...choice }, images: counts[index]! }],
  );
}

function countsOf({ values }: ObservedStep, { choices, blocks }: GatedNetwork): number[][] {
  const counts = tensorNumbers(values[gatedNames.counts]!);
  return blocks.map((_, block) => counts.slice(block * choices.length, (block + 1) * choices.length));
}

/** A state as JSON of its own, which later steps do not change. */
function plain(state: object): Json {
  return JSON.parse(JSON.stringify(state)) as Json;
}

function parseState<T>(schema: z.ZodType<T>, state: Json): T {
  const parsed = schema.safeParse(state);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw inputError("checkpoint_state", `the checkpoint is not that of such a training: ${issue.message}`, {
    path: ["controller", ...issue.path.filter((step) => typeof step !== "symbol")],
  });
}
