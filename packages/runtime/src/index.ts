/**
 * Execution of graphs on ONNX Runtime.
 *
 * @module runtime
 */

export { blockedTable, lower } from "./lowering/lower.js";
export { serialize } from "./lowering/serialize.js";
export type { LoweringTarget } from "./lowering/target.js";
export type { ProviderName } from "./providers/provider.js";
export { type OpenModelOptions, openModel } from "./segments/open-model.js";
export { type CompileOptions, createRuntime, type Runtime, type RuntimeOptions } from "./segments/runtime.js";
export type { Segment } from "./segments/segment.js";
export type { StateStore } from "./segments/state.js";
export type { OpenModel } from "./sessions/model.js";
export { onnxRuntimeVersion } from "./sessions/onnx-runtime.js";
