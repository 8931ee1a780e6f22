import type { Dimension, TensorType } from "../ir/graph.js";
import { intsAttribute, requiredInt, typed } from "./context.js";
import type { ShapeContext, ShapeRule, ShapeTable } from "./rule.js";

function bodyTypes(context: ShapeContext, name: string): readonly TensorType[] {
  const graph = context.node.attributes[name];
  if (graph?.kind !== "graph") throw context.fail(`attribute "${name}" is missing`, { expected: "a graph" });
  return context.subgraph(graph);
}

/** What is known of a value that has one type or the other. */
function eitherType(context: ShapeContext, a: TensorType, b: TensorType): TensorType {
  if (a.elementType !== b.elementType) {
    throw context.fail("a value has another element type in the other branch", {
      expected: a.elementType,
      received: b.elementType,
    });
  }
  if (!a.shape || !b.shape || a.shape.length !== b.shape.length) return typed(a.elementType, undefined);
  const other = b.shape;
  const shape = a.shape.map((size, axis) => (size === other[axis] ? size : context.unknownDimension()));
  return typed(a.elementType, shape);
}

const either: ShapeRule = (context) => {
  const thenTypes = bodyTypes(context, "then_branch");
  const elseTypes = bodyTypes(context, "else_branch");
  if (thenTypes.length !== elseTypes.length) {
    throw context.fail("the branches differ in their number of outputs", {
      expected: `${thenTypes.length}`,
      received: `${elseTypes.length}`,
    });
  }
  return thenTypes.map((type, index) => eitherType(context, type, elseTypes[index]!));
};

const loop: ShapeRule = (context) => {
  const carried = context.node.inputs.length - 2;
  const [, ...types] = bodyTypes(context, "body");
  if (types.length < carried) {
    throw context.fail("the body has too few outputs", {
      expected: `at least ${carried + 1}`,
      received: `${types.length + 1}`,
    });
  }
  // The condition may end the loop early, so the trip count is only a bound.
  const trips = context.unknownDimension();
  return types.map((type, index) => {
    if (index < carried) return eitherType(context, type, context.input(index + 2));
    return typed(type.elementType, type.shape && [trips, ...type.shape]);
  });
};

const scan: ShapeRule = (context) => {
  const types = bodyTypes(context, "body");
  const scanned = requiredInt(context, "num_scan_inputs");
  const states = context.node.inputs.length - scanned;
  const inputAxes = intsAttribute(context, "scan_input_axes");
  const outputAxes = intsAttribute(context, "scan_output_axes");
  const length = scanLength(context, states, inputAxes?.[0] ?? 0);
  return types.map((type, index) => {
    if (index < states) return eitherType(context, type, context.input(index));
    if (!type.shape) return type;
    const axis = outputAxes?.[index - states] ?? 0;
    const at = axis < 0 ? axis + type.shape.length + 1 : axis;
    return typed(type.elementType, [...type.shape.slice(0, at), length, ...type.shape.slice(at)]);
  });
};

function scanLength(context: ShapeContext, firstScanned: number, axis: number): Dimension {
  const size = context.inputs[firstScanned]?.shape?.at(axis);
  return size ?? context.unknownDimension();
}

/** Types that a call of a subgraph may give: attributes `then_branch`, `else_branch`, `body`. */
export const controlShapes: ShapeTable = { If: either, Loop: loop, Scan: scan };
