import { ownShapeRules } from "../autodiff/own-operators.js";
import { controlShapes } from "./control.js";
import { convolutionShapes } from "./convolution.js";
import { elementwiseShapes } from "./elementwise.js";
import { generationShapes } from "./generation.js";
import { indexingShapes } from "./indexing.js";
import { joiningShapes } from "./joining.js";
import { linearShapes } from "./linear.js";
import { lossShapes } from "./loss.js";
import { normalizationShapes } from "./normalization.js";
import { poolingShapes } from "./pooling.js";
import { quantizationShapes } from "./quantization.js";
import { recurrentShapes } from "./recurrent.js";
import { reductionShapes } from "./reduction.js";
import { resizingShapes } from "./resizing.js";
import type { ShapeTable } from "./rule.js";
import { shapingShapes } from "./shaping.js";

/** Shape rules of every operator that Dovetail knows. */
export const shapeTable: ShapeTable = {
  ...elementwiseShapes,
  ...convolutionShapes,
  ...poolingShapes,
  ...linearShapes,
  ...normalizationShapes,
  ...shapingShapes,
  ...joiningShapes,
  ...indexingShapes,
  ...reductionShapes,
  ...generationShapes,
  ...resizingShapes,
  ...quantizationShapes,
  ...recurrentShapes,
  ...lossShapes,
  ...controlShapes,
  ...ownShapeRules,
};
