/**
 * Execution of graphs on ONNX Runtime.
 *
 * @module runtime
 */

export { blockedTable, lower } from "./lowering/lower.js";
export { serialize } from "./lowering/serialize.js";
export type { LoweringTarget } from "./lowering/target.js";
export type { ProviderName } from "./providers/provider.js";
export { type CompileOptions, createRuntime, type Runtime, type RuntimeOptions } from "./segments/runtime.js";
export type { Segment } from "./segments/segment.js";
export type { StateStore } from "./segments/state.js";
export { type OpenModel, type OpenModelOptions, openModel } from "./sessions/model.js";
export { onnxRuntimeVersion } from "./sessions/onnx-runtime.js";
