// A compiled graph: feeds in, results out, state kept inside.

import { inputError, nearestWord } from "@dovetail/core";
import type { Graph, Tensor, Value } from "@dovetail/graph";
import type { Session } from "../sessions/session.js";
import { requireFeeds } from "./check.js";
import type { StateCells } from "./state.js";

/** A compiled graph. */
export interface Segment {
  /** What `run` must be fed: the graph's inputs that are not in the state. */
  readonly inputs: readonly Value[];
  /** What `run` returns: the graph's outputs that are not paired with state. */
  readonly outputs: readonly Value[];
  /**
   * Runs the graph once. `outputs` gives tensors that results are written into; they must have the results' types.
   * Every returned tensor has memory of its own and stays valid. Throws an input error when a feed is missing,
   * unknown or of another type; after an error the state is as before.
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>>;
  /** Gives the compiled graph back; a later `run` throws. */
  release(): Promise<void>;
}

export interface SegmentParts {
  readonly graph: Graph;
  readonly session: Session;
  readonly state?: StateCells | undefined;
  /** Input of the state by the name of the output that replaces it. */
  readonly stateOfOutput: ReadonlyMap<string, string>;
  readonly release: () => Promise<void>;
}

export function createSegment({ graph, session, state, stateOfOutput, release }: SegmentParts): Segment {
  const fromState = graph.inputs.flatMap(({ name }) => (state?.has(name) ? [name] : []));
  const inputs = graph.inputs.filter(({ name }) => !state?.has(name));
  const outputs = graph.outputs.filter(({ name }) => !stateOfOutput.has(name));

  const runOnce = async (
    feeds: Readonly<Record<string, Tensor>>,
    given: Readonly<Record<string, Tensor>>,
  ): Promise<Record<string, Tensor>> => {
    const all: Record<string, Tensor> = { ...feeds };
    for (const name of fromState) all[name] = state!.current(name);
    const results = await session.run(all, given);
    const returned: Record<string, Tensor> = {};
    for (const { name } of graph.outputs) {
      const cell = stateOfOutput.get(name);
      if (cell === undefined) returned[name] = given[name] ?? results[name]!;
      else state!.adopt(cell, results[name]!);
    }
    return returned;
  };
  return {
    inputs,
    outputs,
    run: async (feeds, given = {}) => {
      requireFeeds(graph.name, inputs, feeds);
      return state ? state.inTurn(() => runOnce(feeds, given)) : runOnce(feeds, given);
    },
    release,
  };
}

/** Checks the pairs input → output and turns them round. */
export function invertPairs(
  graph: Graph,
  state: StateCells | undefined,
  pairs: Readonly<Record<string, string>>,
): Map<string, string> {
  const outputNames = graph.outputs.map(({ name }) => name);
  const inverted = new Map<string, string>();
  for (const [input, output] of Object.entries(pairs)) {
    if (!state?.has(input))
      throw inputError("unknown_state", `state pair "${input}" → "${output}": state has no "${input}"`);
    if (!outputNames.includes(output)) {
      const near = nearestWord(output, outputNames);
      throw inputError(
        "unknown_output",
        `state pair "${input}" → "${output}": graph "${graph.name}" has no such output`,
        {
          hint: near === undefined ? undefined : `did you mean "${near}"?`,
        },
      );
    }
    if (inverted.has(output)) {
      throw inputError(
        "duplicate_pair",
        `output "${output}" is paired with both "${inverted.get(output)}" and "${input}"`,
      );
    }
    inverted.set(output, input);
  }
  return inverted;
}
