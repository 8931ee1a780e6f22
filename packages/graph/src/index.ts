/**
 * Typed ONNX graphs: builder, shape inference, reading and writing, autodiff, passes, printing.
 *
 * @module graph
 */

export type { StructuredAnnotation, TensorAnnotation } from "./annotations/annotation.js";
export { type LayerWeightShape, type StructuredForm, structuredFormOf } from "./annotations/structured-form.js";
export { type DifferentiateOptions, differentiate, withGradients } from "./autodiff/differentiate.js";
export { expandOwnOperators } from "./autodiff/expand-own-operators.js";
export { gradientTable } from "./autodiff/gradient-table.js";
export { adderConvFunction } from "./autodiff/own/adder-function.js";
export type { ExpansionContext, OwnOperator } from "./autodiff/own/own-operator.js";
export { explicitWindow, type Window, windowAttributes, windowExtent, windowOf } from "./autodiff/own/window.js";
export { ownOperators } from "./autodiff/own-operators.js";
export type { CustomGradient, GradientContext, GradientRule, GradientTable } from "./autodiff/rule.js";
export { expandLike, reduceToShape, reshapeLike, zerosLike } from "./autodiff/shapes.js";
export { GraphBuilder, type NodeOptions } from "./builder/builder.js";
export {
  type LstmCellWeights,
  type LstmOptions,
  type LstmOutputs,
  type LstmState,
  lstm,
  lstmCell,
} from "./builder/lstm.js";
export type { ConvolutionAttributes, Operand } from "./builder/operators.js";
export { type AttributeInput, attributeOf, float, floats } from "./ir/attribute.js";
export { type ElementType, elementTypes, type TensorData } from "./ir/element-type.js";
export {
  type Attribute,
  type Dimension,
  defaultOpset,
  dovetailDomain,
  type FunctionDefinition,
  type Graph,
  type Model,
  type Node,
  type Shape,
  type Tensor,
  type TensorType,
  type Value,
} from "./ir/graph.js";
export { roundHalfToEven } from "./ir/rounding.js";
export { capturedNames, consumedNames, subgraphsOf } from "./ir/subgraphs.js";
export {
  elementCount,
  int64Vector,
  isStatic,
  scalar,
  tensor,
  tensorData,
  tensorFromData,
  tensorNumbers,
} from "./ir/tensor.js";
export { defaultReadLimits, type ReadLimits } from "./onnx/limits.js";
export { type ReadOptions, readModel } from "./onnx/read-model.js";
export type { ExternalDataSource } from "./onnx/reading.js";
export { incompatibleSince, upgradeTable } from "./onnx/upgrade/table.js";
export { modelOf, writeModel, writeModelWithExternalData } from "./onnx/write-model.js";
export { bindParameters } from "./passes/bind-parameters.js";
export { eliminateCommonSubexpressions } from "./passes/eliminate-common-subexpressions.js";
export { eliminateDeadCode } from "./passes/eliminate-dead-code.js";
export { extractSubgraph } from "./passes/extract-subgraph.js";
export { foldBatchNormalization } from "./passes/fold-batch-normalization.js";
export { foldConstants } from "./passes/fold-constants.js";
export { inferTypes } from "./passes/infer-types.js";
export { inlineFunctions } from "./passes/inline-functions.js";
export { renameValues } from "./passes/rename-values.js";
export { topologicalSort } from "./passes/topological-sort.js";
export { printGraph } from "./print/print-graph.js";
export { printShape, printType } from "./shape/infer.js";
export type { ShapeContext, ShapeRule, ShapeTable } from "./shape/rule.js";
export { shapeTable } from "./shape/table.js";
