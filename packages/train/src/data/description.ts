import { z } from "zod";

const count = z.number().int().positive();
const path = z.string().min(1);

const split = {
  trainImagesPerClass: count
    .optional()
    .describe("Use the first n images of each class of the source's training images only; default: all."),
  validationFraction: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe("Share of those images, the same in each class, held out for validation; default: 0.1."),
  validationImagesPerClass: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe("Number of images of each class held out for validation, instead of validationFraction."),
  testImagesPerClass: count
    .optional()
    .describe("Use the first n test images of each class only; default: all. For trials, not for figures to report."),
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0).describe("Picks the images that are held out."),
};

/** Which data set, where it lies, and how it is split into training, validation and test. Used in recipes. */
export const datasetDescriptionSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("bundled-cifar10").describe("The CIFAR-10 images that come with Dovetail."),
      path: path.optional().describe("Another file of the same format."),
      ...split,
    }),
    z.strictObject({
      kind: z.literal("cifar10-jpeg-zip").describe("CIFAR-10 as JPEG: train.zip and test.zip."),
      path: path.optional().describe("Folder with the two archives; default: cifar10 in $DOVETAIL_DATA."),
      ...split,
    }),
    z.strictObject({
      kind: z.literal("cifar10-binary").describe("CIFAR-10's official binary files, data_batch_1.bin and so on."),
      path: path.optional().describe("Folder with the files; default: cifar-10-batches-bin in $DOVETAIL_DATA."),
      ...split,
    }),
    z.strictObject({
      kind: z.literal("idx").describe("Files in MNIST's format, raw or gzipped."),
      path: path.optional().describe("Folder with the four files; default: mnist in $DOVETAIL_DATA."),
      classNames: z.array(z.string().min(1)).min(2).optional().describe("Default: the digits."),
      ...split,
    }),
    z.strictObject({
      kind: z.literal("image-folder").describe("A folder of images for each class, perhaps in train/ and test/."),
      path: path.describe("The folder, or its name in $DOVETAIL_DATA."),
      imageSize: z
        .tuple([count.max(4096), count.max(4096)])
        .describe("[height, width] in pixels, to which every image is brought."),
      channels: z.literal([1, 3]).default(3).describe("3 for colour, 1 for grey."),
      fit: z
        .enum(["cover", "contain", "fill"])
        .default("cover")
        .describe("cover cuts what juts out, contain adds black borders, fill distorts."),
      testFraction: z
        .number()
        .gt(0)
        .lt(1)
        .default(0.2)
        .describe("Share of each class used as test images, where there is no test folder."),
      ...split,
    }),
  ])
  .refine(
    (description) => description.validationFraction === undefined || description.validationImagesPerClass === undefined,
    { path: ["validationImagesPerClass"], error: "give validationFraction or validationImagesPerClass, not both" },
  );

/** A checked description, defaults filled in. */
export type DatasetDescription = z.output<typeof datasetDescriptionSchema>;

/** A description as it is written in a recipe. */
export type DatasetDescriptionInput = z.input<typeof datasetDescriptionSchema>;

/** The kinds of data sets. */
export type DatasetKind = DatasetDescription["kind"];

/** The description of one kind. */
export type DescriptionOf<Kind extends DatasetKind> = Extract<DatasetDescription, { kind: Kind }>;
