import { ownShapeRules } from "../autodiff/own-operators.js";
import type { ShapeRule, ShapeTable } from "./rule.js";

const same: ShapeRule = (context) => [context.input(0)];

/** Shape rules of every operator that Dovetail knows. */
export const shapeTable: ShapeTable = {
  Identity: same,
  Relu: same,
  ...ownShapeRules,
};
