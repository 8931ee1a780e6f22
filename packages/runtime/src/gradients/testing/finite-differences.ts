// Gradients against central differences of the forward pass along random directions.

import type { RandomStream } from "@dovetail/core";
import {
  type AttributeInput,
  type Dimension,
  differentiate,
  elementTypes,
  GraphBuilder,
  type Tensor,
  tensor,
  type Value,
} from "@dovetail/graph";
import { expect } from "vitest";
import { compileForTest, type Tensors } from "./execute.js";

/** How the values of an input are drawn. */
export type Sampling =
  /** Standard normal. */
  | "normal"
  /** In [0.5, 2]. */
  | "positive"
  /** In (−0.9, 0.9). */
  | "inside"
  /** In [1.2, 3]. */
  | "beyond one"
  /** All different, 0.1 apart, and at least 0.03 away from multiples of 0.1: no corner or tie within a step. */
  | "separated"
  /** Multiples of 0.1. */
  | "grid";

/** An input that gradients are checked for, or a constant. */
export type InputSpecification =
  | { readonly shape: readonly number[]; readonly sampling?: Sampling }
  | { readonly constant: Tensor }
  | undefined;

/** A node. */
export interface NodeSpecification {
  readonly operator: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
  readonly inputs: readonly InputSpecification[];
  readonly outputs?: number;
  /** Leaves the first size of the first input open until run time. */
  readonly openBatch?: boolean;
}

/** Corner-free intervals of "separated" are wider than this. */
const step = 5e-3;

function sample(shape: readonly number[], sampling: Sampling, random: RandomStream): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const uniform = (low: number, high: number): number => low + (high - low) * random.uniform();
  const draw: Readonly<Record<Sampling, (index: number) => number>> = {
    normal: () => random.normal(),
    positive: () => uniform(0.5, 2),
    inside: () => uniform(-0.9, 0.9),
    "beyond one": () => uniform(1.2, 3),
    grid: () => Math.round(random.normal() * 10) / 10,
    separated: (index) => (index - Math.floor(count / 2)) * 0.1 + uniform(0.03, 0.07),
  };
  const values = Float64Array.from({ length: count }, (_, index) => draw[sampling](index));
  return tensor("float32", shape, sampling === "separated" ? random.shuffle(values) : values);
}

/** Checks a node's gradients to all of its inputs together: relative error at most 1e-2. */
export async function checkNode(specification: NodeSpecification, random: RandomStream): Promise<void> {
  const { operator, attributes = {}, domain = "", outputs = 1 } = specification;
  const samples: Record<string, Tensor> = {};
  await checkGraph(
    (g) => {
      const inputs = specification.inputs.map((input, index): Value | undefined => {
        if (!input) return undefined;
        if ("constant" in input) return g.constant(input.constant, `constant${index}`);
        const name = `x${index}`;
        samples[name] = sample(input.shape, input.sampling ?? "normal", random);
        const isOpen = specification.openBatch === true && index === 0;
        return g.input(
          name,
          "float32",
          input.shape.map((size, axis): Dimension => (isOpen && axis === 0 ? "batch" : size)),
        );
      });
      return g.node(operator, inputs, attributes, { domain, outputs });
    },
    samples,
    random,
    JSON.stringify(specification, (_, value) => (typeof value === "bigint" ? Number(value) : value)),
  );
}

/**
 * Checks the gradients of a graph to all of its inputs. `build` adds the inputs, whose values are in `samples` when it
 * returns, and returns the results.
 */
export async function checkGraph(
  build: (g: GraphBuilder) => readonly Value[],
  samples: Readonly<Record<string, Tensor>>,
  random: RandomStream,
  description: string,
): Promise<void> {
  const forward = new GraphBuilder("forward");
  const results = build(forward).filter(({ type }) => elementTypes[type.elementType].isFloat);
  results.forEach((value, index) => {
    forward.output(value, `result${index}`);
  });
  const runForward = await compileForTest(forward.build());
  const weights = Object.values(await runForward(samples)).map(({ dimensions }) =>
    sample(dimensions, "normal", random),
  );
  const gradients = await gradientsOf(build, samples, weights);
  const direction = Object.fromEntries(
    Object.entries(samples).map(([name, { data }]) => [
      name,
      Float64Array.from(data as Float32Array, () => (random.integer(2) === 0 ? -1 : 1)),
    ]),
  );
  const lossAt = async (distance: number): Promise<number> =>
    weightedSum(await runForward(shifted(samples, direction, distance)), weights);
  const measured = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  let predicted = 0;
  let squares = 0;
  for (const [name, own] of Object.entries(direction)) {
    const gradient = gradients[name]!.data as Float32Array;
    expect(gradients[name]!.dimensions, description).toEqual(samples[name]!.dimensions);
    gradient.forEach((value, index) => {
      predicted += value * own[index]!;
      squares += value * value;
    });
  }
  expect(Number.isFinite(predicted) && Number.isFinite(measured), description).toBe(true);
  // Against the gradient's length: along this direction alone it may nearly cancel.
  expect(Math.abs(predicted - measured), description).toBeLessThanOrEqual(1e-2 * Math.sqrt(squares) + 1e-4);
}

/** Gradients of Σ results·weights to all inputs, by name. */
async function gradientsOf(
  build: (g: GraphBuilder) => readonly Value[],
  samples: Tensors,
  weights: readonly Tensor[],
): Promise<Tensors> {
  const g = new GraphBuilder("backward");
  const results = build(g).filter(({ type }) => elementTypes[type.elementType].isFloat);
  const terms = results.map((value, index) =>
    g.op("ReduceSum", [g.mul(value, g.constant(weights[index]!, `weight${index}`))], { keepdims: 0 }),
  );
  const sources = Object.keys(samples).map((name) => g.value(name));
  const gradients = differentiate(g, {
    loss: terms.reduce((sum, term) => g.add(sum, term)),
    withRespectTo: sources,
  });
  gradients.forEach((gradient, index) => {
    g.output(gradient, `d${sources[index]!.name}`);
  });
  const found = await (await compileForTest(g.build()))(samples);
  return Object.fromEntries(sources.map(({ name }) => [name, found[`d${name}`]!]));
}

function weightedSum(results: Tensors, weights: readonly Tensor[]): number {
  let sum = 0;
  weights.forEach((weight, index) => {
    const values = results[`result${index}`]!.data as Float32Array;
    (weight.data as Float32Array).forEach((factor, position) => {
      sum += factor * values[position]!;
    });
  });
  return sum;
}

function shifted(samples: Tensors, direction: Readonly<Record<string, Float64Array>>, distance: number): Tensors {
  return Object.fromEntries(
    Object.entries(samples).map(([name, { dimensions, data }]) => {
      const values = Float64Array.from(
        data as Float32Array,
        (value, index) => value + distance * direction[name]![index]!,
      );
      return [name, tensor("float32", dimensions, values)];
    }),
  );
}
