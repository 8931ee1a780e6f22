import { attributeOf } from "../../ir/attribute.js";
import type { Value } from "../../ir/graph.js";
import type { GradientContext, GradientRule, GradientTable } from "../rule.js";

/** Through the same loss made of primitives. Class axis 1; positions with the ignored label count for nothing. */
const negativeLogLikelihood: GradientRule = (context) =>
  context.through(([scores, , weights]) => [lossOf(context, scores!, weights)]);

const softmaxCrossEntropy: GradientRule = (context) =>
  context.through(([scores, , weights]) => {
    const logProbabilities = context.g.logSoftmax(scores!, 1);
    return [lossOf(context, logProbabilities, weights), logProbabilities];
  });

function lossOf(context: GradientContext, logProbabilities: Value, weights: Value | undefined): Value {
  const { g, node } = context;
  const { elementType } = logProbabilities.type;
  const labels = context.input(1);
  const ignored = attributeOf(node, "ignore_index", "int");
  const counts = ignored === undefined ? undefined : g.not(g.equal(labels, ignored));
  const classes = counts ? g.where(counts, labels, 0) : labels;
  const picked = g.squeeze(g.op("GatherElements", [logProbabilities, g.unsqueeze(classes, [1])], { axis: 1 }), [1]);
  const weight = weights ? g.gather(weights, classes) : undefined;
  const counted = counts ? g.mul(weight ?? 1, g.cast(counts, elementType)) : weight;
  const losses = g.neg(counted ? g.mul(picked, counted) : picked);
  const reduction = attributeOf(node, "reduction", "string", "mean");
  if (reduction === "none") return losses;
  const total = g.op("ReduceSum", [losses], { keepdims: 0 });
  if (reduction === "sum") return total;
  const count = counted ? g.op("ReduceSum", [counted], { keepdims: 0 }) : g.cast(g.op("Size", [labels]), elementType);
  return g.div(total, count);
}

export const lossGradients: GradientTable = {
  SoftmaxCrossEntropyLoss: softmaxCrossEntropy,
  NegativeLogLikelihoodLoss: negativeLogLikelihood,
};
