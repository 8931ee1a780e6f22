// From a network and a method to what is trained, by which optimizer, and what is delivered.

import { bakeShiftWeights, type ShiftOptions, shiftStart } from "@dovetail/compress";
import type { Tensor } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import type { Runtime } from "@dovetail/runtime";
import { type Optimizer, radam, splitByRole } from "@dovetail/train";
import { convertLayers, type LayerForm } from "./convert-layers.js";
import type { ShiftAddMethod } from "./methods.js";
import { precisions } from "./precision.js";
import { atPrecision, splitRoles } from "./training.js";

export interface ShiftAddOptions {
  /** Weights of the network to begin with, where it is trained already. Add layers begin anew. */
  readonly trained?: ReadonlyMap<string, Tensor> | undefined;
  /** Of all parameters that the method does not train otherwise. */
  readonly optimizer: Optimizer;
}

/** A network ready to be trained by a method. */
export interface ShiftAddTraining {
  readonly network: Network;
  /** First values; all others are to be drawn. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly optimizer: Optimizer;
  /** The trained network with powers of two as plain weights: what is exported. */
  delivered(
    trained: ReadonlyMap<string, Tensor>,
    runtime: Runtime,
  ): Promise<{ readonly network: Network; readonly weights: ReadonlyMap<string, Tensor> }>;
}

const forms: Readonly<Record<ShiftAddMethod["kind"], LayerForm>> = {
  shiftaddnet: "shiftAdd",
  deepshift: "shift",
  addernet: "add",
};

/** Turns every layer that can be into shifts, additions or both. Throws as `convertLayers`. */
export function prepareShiftAdd(
  network: Network,
  method: ShiftAddMethod,
  { trained, optimizer }: ShiftAddOptions,
): ShiftAddTraining {
  const shifts = method.kind === "addernet" ? undefined : method;
  const converted = convertLayers(network, forms[method.kind], shifts && shiftOptionsOf(shifts));
  const ready = atPrecision(converted, precisions[method.precision]);
  return {
    network: ready,
    weights: trained ? startOf(converted, trained) : new Map(),
    optimizer:
      shifts?.shiftOptimizer === "radam"
        ? splitByRole(optimizer, radam(), { roles: splitRoles, rate: shifts.shiftRate })
        : optimizer,
    delivered: (weights, runtime) => bakeShiftWeights({ runtime, network: ready, weights }),
  };
}

type ShiftMethod = Exclude<ShiftAddMethod, { kind: "addernet" }>;

const shiftOptionsOf = ({ shiftForm: form, shiftBits: bits, signGradient }: ShiftMethod): ShiftOptions => ({
  form,
  bits,
  signGradient,
});

/** Exponents and signs nearest to the trained weights; without those of convolutions that became add layers. */
function startOf(converted: Network, trained: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const added = new Set(converted.parameters.flatMap(({ name, role }) => (role === "adderWeight" ? [name] : [])));
  return new Map([...shiftStart(converted, trained)].filter(([name]) => !added.has(name)));
}
