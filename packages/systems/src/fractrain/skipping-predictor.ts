// Inference that really skips: block by block, only the samples that a gate lets through are computed.

import { extractSubgraph, type Graph, scalar, type Tensor, tensorFromData } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime, Segment, StateStore } from "@dovetail/runtime";
import { type Predictor, parametersOf } from "@dovetail/train";
import type { GatedBlock, GatedNetwork } from "./gated-network.js";

export interface SkippingPredictorOptions {
  readonly runtime: Runtime;
  /** As `gateBlocks` gave it, quantized further or not. */
  readonly network: Network;
  readonly gated: GatedNetwork;
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly scalars: Readonly<Record<string, number>>;
}

/** Predicts as the whole graph does, and knows what the gates chose. */
export interface SkippingPredictor extends Predictor {
  /** Samples by block and choice, over all predictions so far. */
  choices(): readonly (readonly number[])[];
}

/**
 * Compiles a gated network in pieces: what leads to each block and its gate, and each branch. The host gathers the samples
 * that run into a smaller batch, and puts results back with zeros for the others; a branch that none takes is not run.
 */
export async function createSkippingPredictor(options: SkippingPredictorOptions): Promise<SkippingPredictor> {
  const { runtime, network, gated, scalars } = options;
  const state = runtime.createState(parametersOf(network, options.weights));
  const skips = new Set(
    gated.choices.flatMap(({ activationBits, gradientBits }, index) =>
      activationBits === 0 && gradientBits === 0 ? [index] : [],
    ),
  );
  const pieces = await compilePieces(runtime, network, gated.blocks, state);
  const fixed = Object.fromEntries(network.scalars.map(({ name, value }) => [name, scalar(scalars[name] ?? value)]));
  const counts = gated.blocks.map(() => gated.choices.map(() => 0));
  const run = (segment: Segment, values: ReadonlyMap<string, Tensor>): Promise<Record<string, Tensor>> =>
    segment.run(Object.fromEntries(segment.inputs.map(({ name }) => [name, values.get(name) ?? fixed[name]!])));

  const predict = async (images: Tensor): Promise<Float32Array> => {
    const values = new Map<string, Tensor>([[network.image, images]]);
    for (const [index, block] of gated.blocks.entries()) {
      for (const [name, value] of Object.entries(await run(pieces.steps[index]!.lead, values))) values.set(name, value);
      const mask = values.get(block.mask)!;
      const rows = runningSamples(mask, gated.choices.length, skips, counts[index]!);
      const x = values.get(block.input)!;
      values.set(block.selectedOutput, await runBranch(pieces.steps[index]!, block, { x, mask }, rows, run));
    }
    const outputs = await run(pieces.tail, values);
    return outputs[network.logits]!.data as Float32Array;
  };
  return {
    classCount: network.classCount,
    predict,
    choices: () => counts,
    release: async () => {
      for (const { lead, branch } of pieces.steps) {
        await lead.release();
        await branch.release();
      }
      await pieces.tail.release();
    },
  };
}

interface Step {
  /** From the last block's input and branch to this block's input and its gate's decisions. */
  readonly lead: Segment;
  readonly branch: Segment;
  /** Shape of the branch's output, without the batch. */
  readonly outputShape: readonly number[];
}

async function compilePieces(
  runtime: Runtime,
  network: Network,
  blocks: readonly GatedBlock[],
  state: StateStore,
): Promise<{ readonly steps: readonly Step[]; readonly tail: Segment }> {
  const compile = (from: readonly string[], to: readonly string[]): Promise<Segment> =>
    runtime.compile(piece(network, from, to), { state });
  const carried = (block: GatedBlock | undefined): string[] =>
    block ? [block.input, block.selectedOutput, block.hidden, block.cell] : [];
  const steps: Step[] = [];
  for (const [index, block] of blocks.entries()) {
    const { input, mask, hidden, cell, branchOutput } = block;
    steps.push({
      lead: await compile([network.image, ...carried(blocks[index - 1])], [input, mask, hidden, cell]),
      branch: await compile([input, mask], [branchOutput]),
      outputShape: network.graph.types.get(branchOutput)!.shape!.slice(1) as readonly number[],
    });
  }
  return { steps, tail: await compile(carried(blocks.at(-1)), [network.logits]) };
}

/** The part of the network that computes `to`; `from` are taken as given, parameters and scalars from outside. */
function piece({ graph }: Network, from: readonly string[], to: readonly string[]): Graph {
  const outside = graph.inputs.map(({ name }) => name);
  const whole = extractSubgraph(graph, [...new Set([...outside, ...from])], to);
  const used = new Set([...whole.nodes.flatMap(({ inputs }) => inputs), ...to]);
  return { ...whole, inputs: whole.inputs.filter(({ name }) => used.has(name)), customGradients: [] };
}

/** Indices of the samples that run; counts what each chose. */
function runningSamples(mask: Tensor, choices: number, skips: ReadonlySet<number>, counts: number[]): number[] {
  const shares = mask.data as Float32Array;
  const rows: number[] = [];
  for (let row = 0; row < shares.length / choices; row++) {
    const chosen = shares.subarray(row * choices, (row + 1) * choices).indexOf(1);
    counts[chosen]! += 1;
    if (!skips.has(chosen)) rows.push(row);
  }
  return rows;
}

async function runBranch(
  { branch, outputShape }: Step,
  block: GatedBlock,
  given: { readonly x: Tensor; readonly mask: Tensor },
  rows: readonly number[],
  run: (segment: Segment, values: ReadonlyMap<string, Tensor>) => Promise<Record<string, Tensor>>,
): Promise<Tensor> {
  const samples = given.x.dimensions[0]!;
  const compute = async (x: Tensor, mask: Tensor): Promise<Tensor> => {
    const outputs = await run(
      branch,
      new Map([
        [block.input, x],
        [block.mask, mask],
      ]),
    );
    return outputs[block.branchOutput]!;
  };
  if (rows.length === samples) return compute(given.x, given.mask);
  const size = outputShape.reduce((product, length) => product * length, 1);
  const output = new Float32Array(samples * size);
  if (rows.length > 0) {
    const computed = (await compute(gather(given.x, rows), gather(given.mask, rows))).data as Float32Array;
    rows.forEach((row, index) => {
      output.set(computed.subarray(index * size, (index + 1) * size), row * size);
    });
  }
  return tensorFromData("float32", [samples, ...outputShape], output);
}

/** These rows of a float32 tensor. */
function gather({ dimensions, data }: Tensor, rows: readonly number[]): Tensor {
  const [samples, ...rest] = dimensions as readonly [number, ...number[]];
  const values = data as Float32Array;
  const size = values.length / samples;
  const gathered = new Float32Array(rows.length * size);
  rows.forEach((row, index) => {
    gathered.set(values.subarray(row * size, (row + 1) * size), index * size);
  });
  return tensorFromData("float32", [rows.length, ...rest], gathered);
}
