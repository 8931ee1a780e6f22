import { attributeOf } from "../ir/attribute.js";
import type { Shape } from "../ir/graph.js";
import { requireVector, typed } from "./context.js";
import { commonSize } from "./dimension.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

/** Checks scores [N,C,…] against labels [N,…] and class weights [C]; gives the loss's shape. */
function lossShape(context: ShapeContext): Shape {
  const scores = context.shape(0);
  const labels = context.shape(1);
  const expected = scores.filter((_, axis) => axis !== 1);
  const fits =
    scores.length >= 2 &&
    labels.length === expected.length &&
    labels.every((size, axis) => commonSize(size, expected[axis]!) !== undefined);
  if (!fits) {
    throw context.fail("the labels do not fit the scores", {
      expected: `[${expected.join(",")}]`,
      received: `[${labels.join(",")}]`,
    });
  }
  requireVector(context, 2, scores[1]!, "class weights");
  return attributeOf(context.node, "reduction", "string", "mean") === "none" ? labels : [];
}

const crossEntropy: ShapeRule = (context) => {
  const { elementType, shape } = context.input(0);
  return [typed(elementType, lossShape(context)), typed(elementType, shape)];
};

const negativeLogLikelihood: ShapeRule = (context) => [typed(context.input(0).elementType, lossShape(context))];

/** Losses over class scores. */
export const lossShapes: ShapeTable = {
  SoftmaxCrossEntropyLoss: crossEntropy,
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
};
