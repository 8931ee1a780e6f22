import type { Dimension } from "../ir/graph.js";
import {
  intAttribute,
  requireBroadcastTo,
  requiredInt,
  requireVector,
  resolveAxis,
  sameAsFirst,
  typed,
} from "./context.js";
import { elementTypeAttribute } from "./elementwise.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

function channelsOf(context: ShapeContext): Dimension {
  const shape = context.shape(0);
  if (shape.length < 1) throw context.fail("the input needs the axes [N,C,…]");
  return shape.length === 1 ? 1 : shape[1]!;
}

const batchNormalization: ShapeRule = (context) => {
  const channels = channelsOf(context);
  const names = ["scale", "bias", "mean", "variance"];
  names.forEach((name, index) => {
    context.input(index + 1);
    requireVector(context, index + 1, channels, name);
  });
  const outputs = [
    context.input(0),
    typed(context.input(3).elementType, [channels]),
    typed(context.input(4).elementType, [channels]),
  ];
  if (intAttribute(context, "training_mode", 0) === 1) return outputs;
  if (context.node.outputs.slice(1).some((name) => name !== "")) {
    throw context.fail("running statistics are outputs in training mode only", {
      hint: 'set attribute "training_mode" to 1',
    });
  }
  return outputs.slice(0, 1);
};

const instanceNormalization: ShapeRule = (context) => {
  const channels = channelsOf(context);
  requireVector(context, 1, channels, "scale");
  requireVector(context, 2, channels, "bias");
  return [context.input(0)];
};

const groupNormalization: ShapeRule = (context) => {
  const channels = channelsOf(context);
  const groups = requiredInt(context, "num_groups");
  if (typeof channels === "number" && channels % groups !== 0) {
    throw context.fail("the groups do not divide the channels", {
      expected: `a divisor of ${channels}`,
      received: `${groups}`,
    });
  }
  // One scale a group in operator set 18, one a channel from 21 on.
  for (const index of [1, 2])
    requireVector(context, index, context.opset < 21 ? groups : channels, index === 1 ? "scale" : "bias");
  return [context.input(0)];
};

const layerNormalization: ShapeRule = (context) => {
  const shape = context.shape(0);
  const axis = resolveAxis(context, intAttribute(context, "axis", -1), shape.length);
  requireBroadcastTo(context, 1, shape, "scale");
  requireBroadcastTo(context, 2, shape, "bias");
  const statistics = shape.map((size, index) => (index < axis ? size : 1));
  const statisticsType = elementTypeAttribute(context, "stash_type", "float32");
  return [context.input(0), typed(statisticsType, statistics), typed(statisticsType, statistics)];
};

const dropout: ShapeRule = (context) => [context.input(0), typed("bool", context.input(0).shape)];

/** Normalisation over batch, channels, groups or a layer; dropout. */
export const normalizationShapes: ShapeTable = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  RMSNormalization: (context) => layerNormalization(context).slice(0, 1),
  LRN: sameAsFirst,
  LpNormalization: sameAsFirst,
  MeanVarianceNormalization: sameAsFirst,
  Dropout: dropout,
};
