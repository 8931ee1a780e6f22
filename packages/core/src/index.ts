/**
 * Errors as data, seeded random streams, progress and cancellation.
 *
 * @module core
 */

export {
  type Diagnostic,
  type DiagnosticKind,
  DovetailError,
  environmentError,
  formatDiagnostic,
  formatPath,
  inputError,
  internalError,
  nearestWord,
  withPlace,
} from "./diagnostics/diagnostic.js";
export type { Log, ProgressEvent, ProgressListener, Watch } from "./progress/progress.js";
export {
  createRandomStream,
  type MutableIndexed,
  type RandomStream,
  type RandomStreamState,
  restoreRandomStream,
} from "./random/stream.js";
export { workerUrl } from "./workers/worker-url.js";
