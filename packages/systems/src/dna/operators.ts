// What the main job may put at a position of its network.
import { shiftConvolution } from "@dovetail/compress";
import { adderConvolution, batchNormalization } from "@dovetail/models";
import { type OperatorChoice, operatorChoices, residualOperator } from "@dovetail/search";

const shiftBranch = residualOperator("shift_k3", (n, x, { channels, stride }) =>
  batchNormalization(n, "bn", shiftConvolution(n, "shift", x, { channels, kernel: 3, stride })),
);

const addBranch = residualOperator("add_k3", (n, x, { channels, stride }) =>
  batchNormalization(n, "bn", adderConvolution(n, "add", x, { channels, kernel: 3, stride })),
);

/** ShiftAddNet's pair: the shift convolution carries stride and channels. */
const shiftAddBranch = residualOperator("shift_add_k3", (n, x, { channels, stride }) => {
  const shifted = shiftConvolution(n, "shift", x, { channels, kernel: 3, stride });
  return batchNormalization(n, "bn", adderConvolution(n, "add", shifted, { channels, kernel: 3 }));
});

/**
 * - `convolution`: residual blocks of convolutions, inverted residuals, skip
 * - `convolution-shift-add`: residual blocks of shift layers and of add layers beside these
 */
export const operatorSets = {
  convolution: operatorChoices,
  "convolution-shift-add": [...operatorChoices, shiftBranch, addBranch, shiftAddBranch],
} as const satisfies Readonly<Record<string, readonly OperatorChoice[]>>;

export const operatorSetNames = Object.keys(operatorSets) as (keyof typeof operatorSets)[];
