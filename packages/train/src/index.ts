/**
 * Data sets, optimizers, schedules, losses, metrics, trainer and checkpoints.
 *
 * @module train
 */

export {
  type Checkpoint,
  type Json,
  randomStreamStateSchema,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from "./checkpoint/checkpoint.js";
export { decodeSafetensors, encodeSafetensors, type Safetensors } from "./checkpoint/safetensors.js";
export { type Augmentation, augmentationSchema, flipAndCrop, noAugmentation } from "./data/batches/augmentation.js";
export type { BatchPosition } from "./data/batches/batch-plan.js";
export {
  type Batch,
  type BatchStream,
  type BatchStreamOptions,
  createBatchStream,
} from "./data/batches/batch-stream.js";
export { iterateBatches } from "./data/batches/iterate-batches.js";
export { repeatBatches } from "./data/batches/repeat-batches.js";
export type { Checksum, KnownDataset } from "./data/catalogue/known.js";
export { type DatasetStatus, knownDataset, knownDatasets } from "./data/catalogue/status.js";
export {
  type DatasetVerification,
  type FileVerification,
  importDataset,
  verifyDataset,
} from "./data/catalogue/verify.js";
export type {
  DatasetPart,
  ImageDataset,
  ImageShape,
  LabelledImages,
  Labels,
  Provenance,
  SourceFile,
} from "./data/dataset.js";
export {
  type DatasetDescription,
  type DatasetDescriptionInput,
  type DatasetKind,
  datasetDescriptionSchema,
} from "./data/description.js";
export { createDataset, type LoadOptions, loadDataset } from "./data/load.js";
export type { PlaceOptions } from "./data/locate.js";
export { encodePack } from "./data/pack/write-pack.js";
export { type JpegArchive, readJpegArchive } from "./data/sources/cifar10-jpeg-archive.js";
export { writeError, writeFileAtomically } from "./files/atomic-file.js";
export { digestOfBytes, digestOfFile, isPresent, readFileIfPresent, readWholeFile } from "./files/read-file.js";
export { type CrossEntropyOptions, softmaxCrossEntropy } from "./losses/cross-entropy.js";
export type { Loss, TargetInput } from "./losses/loss.js";
export { meanSquaredError } from "./losses/mean-squared-error.js";
export {
  accuracyFraction,
  argMaxOfRows,
  confusionMatrix,
  correctness,
  perClassAccuracy,
} from "./metrics/classification.js";
export {
  type Interval,
  type PairedDifference,
  type PairedDifferenceOptions,
  pairedDifference95,
  wilsonInterval95,
} from "./metrics/intervals.js";
export { type AdamOptions, adam, adamW } from "./optimizers/adam.js";
export { applyOptimizer, type ParameterUpdates } from "./optimizers/apply-optimizer.js";
export { clipGradients } from "./optimizers/clip-gradients.js";
export type { OptimizedParameter, Optimizer, UpdatedParameter, UpdateRule } from "./optimizers/optimizer.js";
export { radam } from "./optimizers/radam.js";
export { type SgdOptions, sgd } from "./optimizers/sgd.js";
export { splitByRole } from "./optimizers/split-by-role.js";
export {
  type CosineOptions,
  constant,
  cosine,
  type LinearWarmUpOptions,
  linearWarmUp,
  type OneCycleMomentumOptions,
  type OneCycleOptions,
  oneCycle,
  oneCycleMomentum,
  type Schedule,
  type Scheduled,
  type StepScheduleOptions,
  stepSchedule,
  valueAt,
} from "./schedules/schedule.js";
export type { Adversary, AdversaryBatch, OpenAdversary } from "./trainer/adversary.js";
export type { ObservedStep, TrainingController } from "./trainer/controller.js";
export { type EvaluateOptions, type Evaluation, evaluate, evaluatePredictor } from "./trainer/evaluate.js";
export { evaluateModel } from "./trainer/evaluate-model.js";
export { uniformNoise } from "./trainer/noise.js";
export type { Pass, Teacher } from "./trainer/passes.js";
export { createPredictor, type Predictor, type PredictorOptions, parametersOf } from "./trainer/predictor.js";
export type { EpochRecord } from "./trainer/progress.js";
export { type CompiledStep, planStep, type StepPlan } from "./trainer/step-plan.js";
export { type EpochEnd, type TrainingResult, type TrainOptions, train } from "./trainer/train.js";
export { buildTrainingStep, type TrainingStep, type TrainingStepOptions } from "./trainer/training-step.js";
