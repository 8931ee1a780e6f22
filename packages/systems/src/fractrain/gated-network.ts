// A network whose residual blocks have gates: each sample's block runs at the precision that its gate chooses, or not at all.

import { inputError } from "@dovetail/core";
import { type Graph, GraphBuilder, tensor, type Value } from "@dovetail/graph";
import {
  type Network,
  type NodeRewrite,
  type RewriteContext,
  rewriteGraph,
  type SampleSelection,
} from "@dovetail/models";
import { type Choice, choicePercent, defaultChoices } from "./cost.js";
import { type GatePlan, gatedNames, planGates, withGateInputs } from "./gate-plan.js";
import { gatedConvolution, type OpenGate, openGate, selectSamples } from "./gated-branch.js";
import { type ResidualBlock, residualBlocks } from "./residual-blocks.js";

export interface GateOptions {
  /** What a gate chooses between; the published ones and a skip by default. */
  readonly choices?: readonly Choice[] | undefined;
  /** Bits of the blocks' weights where nothing else is fed; 4 by default. */
  readonly weightBits?: number | undefined;
  /** Share of a batch's range in the new running one; 0.9 by default, as published. */
  readonly rangeMomentum?: number | undefined;
}

/** A block with its gate; all are names of values of the network's graph. */
export interface GatedBlock {
  readonly input: string;
  /** [N, choices], one-hot. */
  readonly mask: string;
  /** State of the gates' LSTM behind this gate. */
  readonly hidden: string;
  readonly cell: string;
  /** What the branch computes, and the same with zero for samples that skip. */
  readonly branchOutput: string;
  readonly selectedOutput: string;
}

export interface GatedNetwork {
  readonly network: Network;
  readonly choices: readonly Choice[];
  readonly blocks: readonly GatedBlock[];
  /** The gated convolutions: names of nodes, and the block of each. */
  readonly layers: GatePlan["layers"];
}

/**
 * Puts a gate in front of every residual block. A gate reads its block's input and chooses, sample by sample, bits of the
 * activations and gradients of the block's convolutions, or to skip the branch: then the sample is zero in all three
 * products, and batch normalization and ranges don't see it. The gates decide in inference form too. The batch's mean
 * cost and the choices are values of the graph, `gatedNames`; the loss is to take the cost in (`lossWithCost`).
 *
 * Layers outside the branches stay as they are: quantize them afterwards. Throws the input error `no_residual_blocks`.
 */
export function gateBlocks(network: Network, options: GateOptions = {}): GatedNetwork {
  const { choices = defaultChoices, weightBits = 4, rangeMomentum = 0.9 } = options;
  const found = residualBlocks(network);
  if (found.length === 0) {
    throw inputError("no_residual_blocks", `network "${network.name}" has no blocks to put gates in front of`, {
      expected: "sums of two paths that part at one value, with a convolution in one of them",
    });
  }
  const plan = planGates(network, found, choices, rangeMomentum);
  const rewriting = createRewriting(plan);
  const { graph, find } = rewriteGraph(withGateInputs(network.graph, plan), rewriting);
  const { gates, outputs, selections } = rewriting;
  return {
    choices,
    layers: plan.layers,
    blocks: found.map((block, index) => namesOf(block, gates.get(index)!, outputs.get(index)!)),
    network: {
      ...network,
      name: `${network.name}-gated`,
      graph: withFigures(graph, plan, gates),
      logits: find(network.logits).name,
      parameters: [...network.parameters, ...plan.parameters],
      scalars: [
        ...network.scalars,
        { name: gatedNames.weightBits, value: weightBits },
        { name: gatedNames.costFactor, value: 0 },
      ],
      noises: [...network.noises, ...plan.noises],
      observedRanges: [...network.observedRanges, ...plan.observedRanges],
      selections: [...(network.selections ?? []), ...selections],
    },
  };
}

interface SelectedOutput {
  readonly branch: Value;
  readonly selected: Value;
}

/** Rules for `rewriteGraph`, and what they leave behind. */
function createRewriting(plan: GatePlan) {
  const gates = new Map<number, OpenGate>();
  const outputs = new Map<number, SelectedOutput>();
  const selections: SampleSelection[] = [];
  const convolutionsWithoutBias = new Set(
    [...plan.blockOfNode.keys()].flatMap((node) =>
      node.operator === "Conv" && node.inputs.length < 3 ? node.outputs : [],
    ),
  );
  const inBranch =
    (rule: (context: RewriteContext, gate: OpenGate) => readonly Value[]): NodeRewrite =>
    (context) => {
      const block = plan.blockOfNode.get(context.node);
      return block === undefined ? context.keep() : rule(context, gates.get(block)!);
    };
  return {
    gates,
    outputs,
    selections,
    values: (value: Value, g: GraphBuilder): Value => {
      plan.blocks.forEach(({ input }, index) => {
        if (input !== value.name || gates.has(index)) return;
        gates.set(index, openGate(g, plan, index, value, gates.get(index - 1)?.state));
      });
      return value;
    },
    nodes: {
      Conv: inBranch((context, gate) => [gatedConvolution(context, plan, gate)]),
      BatchNormalization: inBranch(({ node, keep }, gate) => {
        const isZeroElsewhere = convolutionsWithoutBias.has(node.inputs[0]!);
        selections.push({ node: node.name, active: gate.active.name, isZeroElsewhere });
        return keep();
      }),
      Add: ({ node, inputs, g, keep }: RewriteContext): readonly Value[] => {
        const index = plan.blockOfSum.get(node);
        if (index === undefined) return keep();
        const operands = inputs as readonly Value[];
        const at = node.inputs.indexOf(plan.blocks[index]!.branchOutput);
        const branch = operands[at]!;
        const selected = g.scope(`gates/${index}`, () => selectSamples(g, branch, gates.get(index)!.active));
        outputs.set(index, { branch, selected });
        const summed = operands.map((operand, place) => (place === at ? selected : operand));
        return g.node("Add", summed, node.attributes, { name: node.name, outputs: node.outputs });
      },
    },
  };
}

function namesOf(
  { input }: ResidualBlock,
  { mask, state }: OpenGate,
  { branch, selected }: SelectedOutput,
): GatedBlock {
  return {
    input,
    mask: mask.name,
    hidden: state.hidden.name,
    cell: state.cell.name,
    branchOutput: branch.name,
    selectedOutput: selected.name,
  };
}

/** Adds the mean cost of the blocks and the counts of the choices. */
function withFigures(graph: Graph, plan: GatePlan, gates: ReadonlyMap<number, OpenGate>): Graph {
  const g = GraphBuilder.from(graph);
  const masks = plan.blocks.map((_, index) => g.value(gates.get(index)!.mask.name));
  const macs = plan.blocks.map((_, index) =>
    plan.layers.reduce((sum, layer) => sum + (layer.block === index ? layer.macs : 0), 0),
  );
  const all = macs.reduce((sum, count) => sum + count, 0);
  const weightBits = g.value(gatedNames.weightBits);
  const costs = costsOfChoices(g, plan.choices, weightBits);
  const shares = masks.map((mask, index) => g.mul(g.matMul(mask, costs), macs[index]! / all));
  const cost = g.op("ReduceMean", [shares.reduce((sum, share) => g.add(sum, share))], { keepdims: 0 });
  g.node("Identity", [cost], {}, { outputs: [gatedNames.cost] });
  const counts = masks.map((mask) => g.reduceSum(mask, [0], { keepDims: true }));
  g.node("Identity", [counts.length === 1 ? counts[0]! : g.concat(counts, 0)], {}, { outputs: [gatedNames.counts] });
  return g.build();
}

/** Mean cost of the three products of each choice, [choices, 1]: linear in the weights' bits. */
function costsOfChoices(g: GraphBuilder, choices: readonly Choice[], weightBits: Value): Value {
  const column = (bits: number): Value =>
    g.constant(
      tensor(
        "float32",
        [choices.length, 1],
        choices.map((choice) => choicePercent(choice, bits) / 100),
      ),
    );
  const fixed = column(0);
  return g.add(fixed, g.mul(g.sub(column(1), fixed), weightBits));
}
