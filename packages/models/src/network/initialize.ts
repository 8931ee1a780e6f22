import { internalError, type RandomStream } from "@dovetail/core";
import { elementCount, type Tensor, tensor } from "@dovetail/graph";
import type { Initialization, Network, ParameterSpec } from "./network.js";

type Kinds = { [I in Initialization as I["kind"]]: I };
type Sampler = (random: RandomStream) => number;

/** A parameter's first values, by kind of initialization. */
const samplers: { [K in keyof Kinds]: (initialization: Kinds[K], shape: readonly number[]) => Sampler } = {
  kaimingNormal: ({ mode }, shape) => normal(0, Math.sqrt(2 / fansOf(shape)[mode])),
  kaimingUniform: ({ negativeSlope }, shape) =>
    uniform(Math.sqrt(6 / ((1 + negativeSlope ** 2) * fansOf(shape).fanIn))),
  xavierNormal: (_, shape) => normal(0, Math.sqrt(2 / (fansOf(shape).fanIn + fansOf(shape).fanOut))),
  xavierUniform: (_, shape) => uniform(Math.sqrt(6 / (fansOf(shape).fanIn + fansOf(shape).fanOut))),
  normal: ({ mean, standardDeviation }) => normal(mean, standardDeviation),
  uniform: ({ bound, mean }) => uniform(bound, mean),
  constant:
    ({ value }) =>
    () =>
      value,
};

function normal(mean: number, standardDeviation: number): Sampler {
  return (random) => mean + standardDeviation * random.normal();
}

function uniform(bound: number, mean = 0): Sampler {
  return (random) => mean + bound * (2 * random.uniform() - 1);
}

/** Fan in and fan out of a weight [O, I, …kernel], as PyTorch counts them. */
export function fansOf(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw internalError("initialization_rank", `no fans of a parameter of shape [${shape.join(",")}]`, {
      expected: "at least two dimensions",
    });
  }
  return { fanIn: inputs * elementCount(kernel), fanOut: outputs * elementCount(kernel) };
}

/**
 * First values of all parameters. Each parameter draws from its own stream, `random.split(name)`,
 * so that a parameter's values do not depend on which others there are.
 */
export function initializeParameters(network: Network, random: RandomStream): Map<string, Tensor> {
  return new Map(network.parameters.map((parameter) => [parameter.name, initializeParameter(parameter, random)]));
}

/** First values of one parameter. */
export function initializeParameter(parameter: ParameterSpec, random: RandomStream): Tensor {
  const { name, shape, initialization, elementType = "float32" } = parameter;
  const sampler = (samplers[initialization.kind] as (of: Initialization, shape: readonly number[]) => Sampler)(
    initialization,
    shape,
  );
  const stream = random.split(name);
  const values = Array.from({ length: elementCount(shape) }, () => sampler(stream));
  return tensor(elementType, shape, values);
}
