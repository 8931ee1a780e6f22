import { internalError } from "@dovetail/core";
import { eliminateDeadCode, extractSubgraph, type Tensor, tensorNumbers } from "@dovetail/graph";
import { type Network, parameterSpec } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";

export interface BakeOptions {
  readonly runtime: Runtime;
  readonly network: Network;
  readonly weights: ReadonlyMap<string, Tensor>;
}

export interface BakedNetwork {
  readonly network: Network;
  readonly weights: Map<string, Tensor>;
}

/**
 * The network with its computed power-of-two weights as plain parameters, under the layers' own names and with their
 * annotations: what is exported and what hardware reads. Throws when one of the values is neither 0 nor ±2^k.
 */
export async function bakeShiftWeights({ runtime, network, weights }: BakeOptions): Promise<BakedNetwork> {
  const { graph } = network;
  const produced = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const baked = [...graph.annotations].flatMap(([name, { powerOfTwo }]) =>
    powerOfTwo && produced.has(name) ? [name] : [],
  );
  const isBaked = new Set(baked);
  if (baked.length === 0) return { network, weights: new Map(weights) };
  const read = new Set(
    extractSubgraph(graph, namesOf(network.parameters), baked).nodes.flatMap(({ inputs }) => inputs),
  );
  const sources = network.parameters.filter(({ name }) => read.has(name));
  const segment = await runtime.compile(extractSubgraph(graph, namesOf(sources), baked));
  const values = await segment.run(Object.fromEntries(sources.map(({ name }) => [name, weights.get(name)!])));
  await segment.release();
  for (const name of baked) requirePowersOfTwo(name, values[name]!);

  const isSource = new Set(sources.map(({ name }) => name));
  const types = baked.map((name) => ({ name, type: graph.types.get(name)! }));
  const parameters = baked.map((name) =>
    parameterSpec(name, values[name]!.dimensions, {
      role: "weight",
      initialization: { kind: "constant", value: 0 },
      trainable: false,
    }),
  );
  return {
    network: {
      ...network,
      graph: eliminateDeadCode({
        ...graph,
        inputs: [...graph.inputs.filter(({ name }) => !isSource.has(name)), ...types],
        nodes: graph.nodes.filter(({ outputs }) => !outputs.some((name) => isBaked.has(name))),
        customGradients: graph.customGradients.filter(({ outputs }) => !outputs.some((name) => isBaked.has(name))),
      }),
      parameters: [...network.parameters.filter(({ name }) => !isSource.has(name)), ...parameters],
    },
    weights: new Map([
      ...[...weights].filter(([name]) => !isSource.has(name)),
      ...baked.map((name) => [name, values[name]!] as const),
    ]),
  };
}

const namesOf = (values: readonly { readonly name: string }[]): string[] => values.map(({ name }) => name);

function requirePowersOfTwo(name: string, weight: Tensor): void {
  const odd = tensorNumbers(weight).find((value) => value !== 0 && !Number.isInteger(Math.log2(Math.abs(value))));
  if (odd === undefined) return;
  throw internalError("not_power_of_two", `weight "${name}" is annotated as powers of two`, { received: `${odd}` });
}
