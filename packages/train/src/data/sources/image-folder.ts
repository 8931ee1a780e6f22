import { basename, join } from "node:path";
import { createRandomStream, inputError, type Watch } from "@dovetail/core";
import { digestOfBytes, digestOfFile, listFolder } from "../../files/read-file.js";
import { allocateImages, type DecodedImages, type ImageShape, imageBytes, type LabelledImages } from "../dataset.js";
import type { DescriptionOf } from "../description.js";
import { locateDataset, type PlaceOptions } from "../locate.js";
import { decodingStride, type ImageSource, reportDecoding } from "../source.js";
import { firstOfEachClass, holdOut } from "../split.js";

const imageFile = /\.(jpe?g|png|webp)$/i;
/** Largest image that is opened, in pixels. */
const maximumPixels = 2 ** 26;
/** Most bytes of decoded images. */
const maximumDecodedBytes = 2 ** 32;
/** Images in work at the same time: sharp decodes in libuv's pool of four threads. */
const lanes = 4;

interface ListedImage {
  readonly path: string;
  /** Relative to the data set's folder. */
  readonly name: string;
  readonly label: number;
}

interface Listing {
  readonly classNames: readonly string[];
  readonly train: readonly ListedImage[];
  /** Undefined where there is no test folder. */
  readonly test: readonly ListedImage[] | undefined;
}

type FolderDescription = DescriptionOf<"image-folder">;

/** One folder of JPEG, PNG or WebP images per class, either directly inside `path` or inside `train` and `test` there. */
export async function openImageFolder(description: FolderDescription, place: PlaceOptions): Promise<ImageSource> {
  const folder = await locateDataset(description.path, description.path, place);
  const listing = await listImages(folder);
  const { imageSize, channels, fit, testFraction, seed } = description;
  return {
    name: basename(folder),
    files: [{ name: basename(folder), path: folder, sha256: await digestOfListing(listing) }],
    citation: "unknown",
    licence: "unknown",
    options: { imageSize, channels, fit, ...(listing.test ? {} : { testFraction, seed }) },
    decode: (watch) => decodeListing(listing, basename(folder), description, watch),
  };
}

async function listImages(folder: string): Promise<Listing> {
  const { folders } = await listFolder(folder);
  const isSplit = folders.includes("train");
  if (!isSplit) return { ...(await listClasses(folder, "")), test: undefined };
  if (!folders.includes("test")) {
    throw inputError("image_folder", "there is a folder train, but no folder test beside it", {
      file: folder,
      hint: "without both, the class folders are expected directly inside",
    });
  }
  const { classNames, train } = await listClasses(folder, "train");
  const test = await listClasses(folder, "test");
  if (test.classNames.join("/") !== classNames.join("/")) {
    throw inputError("image_folder", "test has other classes than train", {
      file: join(folder, "test"),
      expected: classNames.join(", "),
      received: test.classNames.join(", "),
    });
  }
  return { classNames, train, test: test.train };
}

async function listClasses(folder: string, part: string): Promise<Omit<Listing, "test">> {
  const { folders: classNames } = await listFolder(join(folder, part));
  if (classNames.length < 2) {
    throw inputError("image_folder", "expected one folder of images for each class", {
      file: join(folder, part),
      expected: "at least 2 folders",
      received: `${classNames.length}`,
    });
  }
  const train: ListedImage[] = [];
  for (const [label, className] of classNames.entries()) {
    const { files } = await listFolder(join(folder, part, className));
    const images = files.filter((file) => imageFile.test(file));
    if (images.length === 0) {
      throw inputError("class_empty", "no image in this class's folder", {
        file: join(folder, part, className),
        expected: "at least one .jpg, .png or .webp file",
        received: `${files.length} other files`,
      });
    }
    for (const file of images) {
      train.push({ path: join(folder, part, className, file), name: [part, className, file].join("/"), label });
    }
  }
  return { classNames, train };
}

async function digestOfListing(listing: Listing): Promise<string> {
  const lines: string[] = [];
  for (const image of [...listing.train, ...(listing.test ?? [])]) {
    lines.push(`${await digestOfFile(image.path)}  ${image.name}\n`);
  }
  return digestOfBytes(lines.join(""));
}

async function decodeListing(
  listing: Listing,
  name: string,
  description: FolderDescription,
  watch: Watch,
): Promise<DecodedImages> {
  const { classNames } = listing;
  const imageShape: ImageShape = [description.channels, ...description.imageSize];
  const decode = (images: readonly ListedImage[]) => decodeImages(images, name, imageShape, description, watch);
  if (listing.test) {
    return { classNames, imageShape, train: await decode(listing.train), test: await decode(listing.test) };
  }
  const labels = Uint16Array.from(listing.train, (image) => image.label);
  const all = firstOfEachClass(labels, classNames, undefined, "path");
  const testCount = (size: number) => Math.max(1, Math.round(size * description.testFraction));
  const held = holdOut(labels, all, classNames, testCount, createRandomStream(description.seed).split("test"));
  const choose = (indices: Uint32Array) => Array.from(indices, (index) => listing.train[index]!);
  return {
    classNames,
    imageShape,
    train: await decode(choose(held.kept)),
    test: await decode(choose(held.out)),
  };
}

async function decodeImages(
  images: readonly ListedImage[],
  name: string,
  imageShape: ImageShape,
  description: FolderDescription,
  watch: Watch,
): Promise<LabelledImages> {
  const size = imageBytes(imageShape);
  if (images.length * size > maximumDecodedBytes) {
    throw inputError("dataset_too_large", "the decoded images would not fit in memory", {
      path: ["imageSize"],
      expected: `at most ${maximumDecodedBytes} bytes`,
      received: `${images.length * size} (${images.length} images of ${size} bytes)`,
    });
  }
  const target = allocateImages(images.length, imageShape, 1 + images.at(-1)!.label);
  const decodeOne = await createSharpDecoder(imageShape, description.fit);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < images.length) {
      const index = next++;
      if (index % decodingStride === 0) await reportDecoding(watch, name, index, images.length);
      const image = images[index]!;
      target.labels[index] = image.label;
      await decodeOne(image.path, target.images.subarray(index * size, (index + 1) * size));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await reportDecoding(watch, name, images.length, images.length);
  return target;
}

type SharpDecoder = (path: string, target: Uint8Array) => Promise<void>;

async function createSharpDecoder(imageShape: ImageShape, fit: FolderDescription["fit"]): Promise<SharpDecoder> {
  // Loaded here because its native library costs a tenth of a second, which other data sets need not pay.
  const { default: sharp } = await import("sharp");
  const [channels, height, width] = imageShape;
  return async (path, target) => {
    let pixels: Uint8Array;
    try {
      pixels = await sharp(path, { failOn: "error", limitInputPixels: maximumPixels })
        .autoOrient()
        .flatten({ background: "#000" })
        .resize(width, height, { fit, background: "#000" })
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .raw({ depth: "uchar" })
        .toBuffer();
    } catch (error) {
      throw inputError("image_corrupt", `cannot decode the image (${(error as Error).message.split("\n")[0]})`, {
        file: path,
        expected: `a whole JPEG, PNG or WebP image of at most ${maximumPixels} pixels`,
      });
    }
    separateChannels(pixels, channels, target);
  };
}

/** From pixel by pixel (H, W, C) to channel by channel (C, H, W). */
function separateChannels(pixels: Uint8Array, channels: number, target: Uint8Array): void {
  const area = target.length / channels;
  const sourceChannels = pixels.length / area;
  for (let channel = 0; channel < channels; channel++) {
    for (let index = 0; index < area; index++) {
      target[channel * area + index] = pixels[index * sourceChannels + Math.min(channel, sourceChannels - 1)]!;
    }
  }
}
