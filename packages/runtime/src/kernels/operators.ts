// Which nodes have kernels of our own, and how they are run.

import {
  dovetailDomain,
  elementCount,
  type Graph,
  isStatic,
  type Node,
  type Tensor,
  tensorFromData,
} from "@dovetail/graph";
import type { AdderKernels } from "./adder.js";
import { adderGeometry } from "./geometry.js";

/** An operator with a kernel: one output, float32. */
interface KernelOperator {
  /** Index of the input whose batch the output has. */
  readonly batchOf: number;
  /** `output` is [batch, …] as the node's type says. */
  readonly run: (kernels: AdderKernels, node: Node, inputs: readonly Tensor[], output: Tensor) => void;
}

const floats = ({ data }: Tensor): Float32Array => data as Float32Array;

const kernelOperators: Readonly<Record<string, KernelOperator>> = {
  AdderConv: {
    batchOf: 0,
    run: (kernels, node, [x, weight], y) => {
      const geometry = adderGeometry(node, x!.dimensions, weight!.dimensions, y.dimensions);
      kernels.forward(geometry, floats(x!), floats(weight!), floats(y));
    },
  },
  AdderConvInputGradient: {
    batchOf: 1,
    run: (kernels, node, [dy, x, weight], dx) => {
      const geometry = adderGeometry(node, x!.dimensions, weight!.dimensions, dy!.dimensions);
      kernels.inputGradient(geometry, floats(dy!), floats(x!), floats(weight!), floats(dx));
    },
  },
};

/** True for a node that a kernel computes: on images whose sizes, but for the batch, are known. */
export function hasKernel(graph: Graph, { domain, operator, inputs }: Node): boolean {
  if (domain !== dovetailDomain || !Object.hasOwn(kernelOperators, operator)) return false;
  return inputs.every((name) => {
    const shape = graph.types.get(name)?.shape;
    return shape?.length === 4 && isStatic(shape.slice(1));
  });
}

/** Runs a node's kernel, into `output` where that is given and into memory of its own elsewhere. */
export function runKernel(
  kernels: AdderKernels,
  graph: Graph,
  node: Node,
  inputs: readonly Tensor[],
  output?: Tensor,
): Tensor {
  const { batchOf, run } = kernelOperators[node.operator]!;
  const shape = graph.types.get(node.outputs[0]!)!.shape!;
  const dimensions = [inputs[batchOf]!.dimensions[0]!, ...(shape.slice(1) as number[])];
  const result = output ?? tensorFromData("float32", dimensions, new Float32Array(elementCount(dimensions)));
  run(kernels, node, inputs, result);
  return result;
}
