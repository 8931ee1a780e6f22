export {
  type Checkpoint,
  type Json,
  randomStreamStateSchema,
  readCheckpoint,
  removeCheckpoint,
  writeCheckpoint,
} from "./checkpoint/checkpoint.js";
export { decodeSafetensors, encodeSafetensors, type Safetensors } from "./checkpoint/safetensors.js";
export { type Augmentation, augmentationSchema, noAugmentation } from "./data/batches/augmentation.js";
export type { BatchPosition } from "./data/batches/batch-plan.js";
export {
  type Batch,
  type BatchStream,
  type BatchStreamOptions,
  createBatchStream,
} from "./data/batches/batch-stream.js";
export { iterateBatches } from "./data/batches/iterate-batches.js";
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
export { writeFileAtomically } from "./files/atomic-file.js";
export { digestOfBytes, digestOfFile, isPresent, readFileIfPresent, readWholeFile } from "./files/read-file.js";
