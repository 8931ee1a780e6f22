import type { GradientTable } from "./rule.js";
import { activationGradients } from "./rules/activation.js";
import { arithmeticGradients } from "./rules/arithmetic.js";
import { convolutionGradients } from "./rules/convolution.js";
import { einsumGradients } from "./rules/einsum.js";
import { elementwiseGradients } from "./rules/elementwise.js";
import { indexingGradients } from "./rules/indexing.js";
import { linearGradients } from "./rules/linear.js";
import { lossGradients } from "./rules/loss.js";
import { normalizationGradients } from "./rules/normalization.js";
import { ownGradients } from "./rules/own.js";
import { poolingGradients } from "./rules/pooling.js";
import { recurrentGradients } from "./rules/recurrent.js";
import { reductionGradients } from "./rules/reduction.js";
import { resizeGradients } from "./rules/resize.js";
import { shapingGradients } from "./rules/shaping.js";
/** Gradient rules by operator, one file a family. */
export const gradientTable: GradientTable = {
  ...elementwiseGradients,
  ...activationGradients,
  ...arithmeticGradients,
  ...linearGradients,
  ...convolutionGradients,
  ...poolingGradients,
  ...normalizationGradients,
  ...reductionGradients,
  ...shapingGradients,
  ...indexingGradients,
  ...resizeGradients,
  ...einsumGradients,
  ...lossGradients,
  ...recurrentGradients,
  ...ownGradients,
};
