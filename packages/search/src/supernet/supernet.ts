// The supernet: every operator of every position compiled once, a step's path put together on the host.
import type { RandomStream } from "@dovetail/core";
import { GraphBuilder, scalar, type Tensor, tensorNumbers } from "@dovetail/graph";
import { countPoints, initializeParameter } from "@dovetail/models";
import type { Runtime, Segment, StateStore } from "@dovetail/runtime";
import type { Loss, Optimizer } from "@dovetail/train";
import { mapPieces, type SpacePieces } from "../space/block-network.js";
import type { SearchSpace } from "../space/space.js";
import { type BlockGraphs, blockNames, buildBlock, buildLossBlock, type LossBlockGraphs } from "./block.js";
import { createTensorPool } from "./tensor-pool.js";

export interface SupernetOptions {
  readonly space: SearchSpace;
  readonly runtime: Runtime;
  readonly batchSize: number;
  readonly optimizer: Optimizer;
  readonly loss: Loss;
  /** First values of the parameters; only its identity counts. */
  readonly random: RandomStream;
}

/** Images [batch, channels, height, width] and their labels. */
export interface SupernetBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** What the two active operators of each position did to the loss: ⟨∂L/∂y, O_k(x)⟩ for both. */
export interface OperatorProducts {
  readonly loss: number;
  readonly products: readonly (readonly [number, number])[];
}

export interface Supernet {
  /** Parameters and optimizer memory of everything. */
  readonly state: StateStore;
  /** One optimizer step on the weights of one path (single-path forward and backward). Returns the loss. */
  trainPath(
    path: readonly number[],
    batch: SupernetBatch,
    hyperparameters: Readonly<Record<string, number>>,
  ): Promise<number>;
  /** Forward through the first of two operators a position, both evaluated; backward through the first. No weight changes. */
  probe(active: readonly (readonly [number, number])[], batch: SupernetBatch): Promise<OperatorProducts>;
  /** Multiply-accumulates of `trainPath` with a path (forward and both backward products) for the whole batch. */
  trainingMacs(path: readonly number[]): number;
  /** Multiply-accumulates of `probe`. */
  probeMacs(active: readonly (readonly [number, number])[]): number;
  release(): Promise<void>;
}

/** Builds all graphs; segments are compiled when first used. */
export function createSupernet(options: SupernetOptions): Supernet {
  const { runtime, batchSize } = options;
  const graphs = buildGraphs(options);
  const state = runtime.createState(initialState(options, graphs));
  const compiled = new Map<string, Promise<Segment>>();
  const pool = createTensorPool();
  const segment = (
    key: string,
    graph: Parameters<Runtime["compile"]>[0],
    statePairs: Readonly<Record<string, string>> = {},
  ): Promise<Segment> => {
    let promise = compiled.get(key);
    if (!promise) {
      promise = runtime.compile(graph, { state, statePairs });
      compiled.set(key, promise);
    }
    return promise;
  };
  const run = async (
    key: string,
    graph: Parameters<Runtime["compile"]>[0],
    values: Readonly<Record<string, Tensor>>,
    statePairs?: Readonly<Record<string, string>>,
  ): Promise<Record<string, Tensor>> => {
    const compiledSegment = await segment(key, graph, statePairs);
    const feeds = Object.fromEntries(compiledSegment.inputs.map(({ name }) => [name, values[name]!]));
    const outputs = Object.fromEntries(compiledSegment.outputs.map((value) => [value.name, pool.take(value)]));
    return compiledSegment.run(feeds, outputs);
  };
  const forward = (key: string, block: BlockGraphs, x: Tensor): Promise<Record<string, Tensor>> =>
    run(`${key}/forward`, block.forward, { [blockNames.input]: x });

  const product = async (a: Tensor, b: Tensor): Promise<number> => {
    const key = `product/${a.dimensions.join("x")}`;
    const results = await run(key, productGraph(a.dimensions), { a, b });
    return tensorNumbers(results.product!)[0]!;
  };

  const trainPath: Supernet["trainPath"] = async (path, batch, hyperparameters) => {
    pool.reset();
    const { optimizer } = options;
    const values = { ...optimizer.hyperparameters, ...hyperparameters };
    const stepOf = (key: string): number => tensorNumbers(state.read(stepsName(key)))[0]!;
    const count = (key: string): void => state.write(stepsName(key), scalar(stepOf(key) + 1));
    const scalarsOf = (key: string): Record<string, Tensor> => {
      const fed = optimizer.feeds(values, stepOf(key));
      return Object.fromEntries(Object.entries(fed).map(([name, value]) => [name, scalar(value)]));
    };
    const blocks = [graphs.stem, ...path.map((operator, position) => graphs.positions[position]![operator]!)];
    const keys = ["stem", ...path.map((operator, position) => keyOf(position, operator))];
    const kept: Record<string, Tensor>[] = [];
    let x = batch.images;
    for (const [index, block] of blocks.entries()) {
      const results = await forward(keys[index]!, block, x);
      kept.push({ ...results, [blockNames.input]: x, ...scalarsOf(keys[index]!) });
      x = results[blockNames.output]!;
    }
    const head = await run(
      "head/step",
      graphs.head.step,
      { [blockNames.input]: x, [blockNames.target]: batch.labels, ...scalarsOf("head") },
      graphs.head.statePairs,
    );
    count("head");
    let gradient = head[blockNames.inputGradient]!;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const block = blocks[index]!;
      const inputs = { ...kept[index]!, [blockNames.outputGradient]: gradient };
      const results = await run(`${keys[index]}/backward`, block.backward, inputs, block.statePairs);
      count(keys[index]!);
      if (index > 0) gradient = results[blockNames.inputGradient]!;
    }
    return tensorNumbers(head[blockNames.loss]!)[0]!;
  };

  const probe: Supernet["probe"] = async (active, batch) => {
    pool.reset();
    const stem = await forward("stem", graphs.stem, batch.images);
    let x = stem[blockNames.output]!;
    const kept: { first: Record<string, Tensor>; outputs: readonly [Tensor, Tensor] }[] = [];
    for (const [position, [first, second]] of active.entries()) {
      const blocks = graphs.positions[position]!;
      const firstResults = await forward(keyOf(position, first), blocks[first]!, x);
      const secondResults = await forward(keyOf(position, second), blocks[second]!, x);
      const outputs = [firstResults[blockNames.output]!, secondResults[blockNames.output]!] as const;
      kept.push({ first: { ...firstResults, [blockNames.input]: x }, outputs });
      x = outputs[0];
    }
    const head = await run("head/gradient", graphs.head.inputGradient, {
      [blockNames.input]: x,
      [blockNames.target]: batch.labels,
    });
    let gradient = head[blockNames.inputGradient]!;
    const products: (readonly [number, number])[] = [];
    for (let position = active.length - 1; position >= 0; position--) {
      const { first, outputs } = kept[position]!;
      products.unshift([await product(gradient, outputs[0]), await product(gradient, outputs[1])]);
      if (position === 0) break;
      const operator = active[position]![0];
      const block = graphs.positions[position]![operator]!;
      const results = await run(`${keyOf(position, operator)}/gradient`, block.inputGradient!, {
        ...first,
        [blockNames.outputGradient]: gradient,
      });
      gradient = results[blockNames.inputGradient]!;
    }
    return { loss: tensorNumbers(head[blockNames.loss]!)[0]!, products };
  };

  const stemMacs = countPoints(graphs.stem.inference);
  const headMacs = countPoints(graphs.head.inference);
  const macs = graphs.positions.map((blocks) => blocks.map(({ inference }) => countPoints(inference)));
  return {
    state,
    trainPath,
    probe,
    // The stem has no gradient to its input: two products instead of three.
    trainingMacs: (path) =>
      batchSize *
      (2 * stemMacs + 3 * (headMacs + path.reduce((sum, operator, position) => sum + macs[position]![operator]!, 0))),
    // Forward of both, backward to the input of the first; the first position needs no gradient to its input.
    probeMacs: (active) =>
      batchSize *
      (stemMacs +
        2 * headMacs +
        active.reduce((sum, [first, second], position) => {
          const firstMacs = macs[position]![first]!;
          return sum + firstMacs * (position === 0 ? 1 : 2) + macs[position]![second]!;
        }, 0)),
    release: async () => {
      for (const promise of compiled.values()) await (await promise).release();
      compiled.clear();
    },
  };
}

type SupernetGraphs = Omit<SpacePieces<BlockGraphs>, "head"> & { readonly head: LossBlockGraphs };

function buildGraphs({ space, batchSize, optimizer, loss }: SupernetOptions): SupernetGraphs {
  const pieces = mapPieces<BlockGraphs | LossBlockGraphs>(space, (kind, name, build, inputShape) => {
    const options = { name, inputShape, batchSize, optimizer, differentiateInput: kind !== "stem" };
    if (kind === "head") return { piece: buildLossBlock(build, loss, options), outputShape: [] };
    const piece = buildBlock(build, options);
    return { piece, outputShape: piece.outputShape.slice(1) };
  });
  return pieces as SupernetGraphs;
}

function initialState({ random }: SupernetOptions, graphs: SupernetGraphs): Map<string, Tensor> {
  const state = new Map<string, Tensor>();
  for (const block of [graphs.stem, ...graphs.positions.flat(), graphs.head]) {
    for (const parameter of block.parameters) state.set(parameter.name, initializeParameter(parameter, random));
    for (const [name, zeros] of block.initialMemory()) state.set(name, zeros);
  }
  const positionKeys = graphs.positions.flatMap((blocks, position) => blocks.map((_, each) => keyOf(position, each)));
  for (const key of ["stem", ...positionKeys, "head"]) state.set(stepsName(key), scalar(0));
  return state;
}

const keyOf = (position: number, operator: number): string => `${position}/${operator}`;

/** How often a block was trained: optimizers that correct a bias count from there, not from the search's first step. */
const stepsName = (key: string): string => `${key}/steps`;

/** The sum of the products of two tensors' entries. */
function productGraph(dimensions: readonly number[]): ReturnType<GraphBuilder["build"]> {
  const g = new GraphBuilder("product");
  const count = dimensions.reduce((result, size) => result * size, 1);
  const row = g.reshape(g.input("a", "float32", dimensions), [1, count]);
  const column = g.reshape(g.input("b", "float32", dimensions), [count, 1]);
  g.output(g.reshape(g.matMul(row, column), [1]), "product");
  return g.build();
}
