// Modelled latency and energy of training on 2-in-1's array: a dataflow searched for every product at its precision.

import { createRandomStream, inputError } from "@dovetail/core";
import { convolutionProblem, type FusionLayer, mapOnAccelerator, scalableMachine } from "@dovetail/hardware";
import { type ArrayFigures, figuresOfWork, imagesTogether, type LayerWork, remembered } from "./products.js";

/** Spatially tiled serial units on the area of Bit Fusion's array, around its memories. */
const machine = scalableMachine({ kind: "tiledSerial" });

/** Mappings evaluated for a product at a precision. */
const evaluations = 200;

/** Widest operands of a pass: the units' energies end here. */
const widestBits = 8;

/** Latency, in cycles of the array's clock, and energy of all work. Costs are those of 32 images together. */
export function twoInOneFigures(work: readonly LayerWork[]): ArrayFigures {
  return figuresOfWork(work, (workload) => {
    const weights = slicesOf(workload.weightBits);
    const activations = slicesOf(workload.activationBits);
    const pass = perImage({ ...workload, weightBits: weights.bits, activationBits: activations.bits });
    const passes = weights.count * activations.count;
    return { latencyCycles: pass.latencyCycles * passes, energyPj: pass.energyPj * passes };
  });
}

/** Operands above 8 bits are cut in slices of equal width; every pair of slices is a pass with all its accesses. */
function slicesOf(bits: number): { readonly count: number; readonly bits: number } {
  const count = Math.ceil(bits / widestBits);
  return { count, bits: Math.ceil(bits / count) };
}

const perImage = remembered(costOf);

/** One pass of a workload, for one of the images. */
function costOf(workload: FusionLayer): ArrayFigures {
  const { name, batch, inputChannels, outputChannels, kernelSize, outputSize, stride } = workload;
  const problem = convolutionProblem({
    name,
    batch,
    inputChannels,
    outputChannels,
    outputHeight: outputSize,
    outputWidth: outputSize,
    kernelHeight: kernelSize,
    kernelWidth: kernelSize,
    strideHeight: stride,
    strideWidth: stride,
    bitWidths: { weights: workload.weightBits, inputs: workload.activationBits, outputs: workload.activationBits },
  });
  const random = createRandomStream(0).split(JSON.stringify(workload));
  const found = mapOnAccelerator(problem, machine, { random, evaluations });
  if (!found.ok) {
    throw inputError("layer_unmapped", `product ${name} has no mapping on ${machine.title}`, {
      expected: "a tile that fits the memories",
      received: found.rejection.reason,
    });
  }
  const { latencyCycles, energyPj } = found.cost;
  return { latencyCycles: latencyCycles / imagesTogether, energyPj: energyPj / imagesTogether };
}
