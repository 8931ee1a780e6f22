import { inputError } from "@dovetail/core";
import { type ImageShape, readWholeFile } from "@dovetail/train";

const maximumBytes = 2 ** 28;
/** Largest image that is decoded, in pixels. */
const maximumPixels = 2 ** 26;

/**
 * An image file as raw pixels [channels, height, width]: turned upright, on black where it is transparent, brought to
 * the size by cutting what juts out. Throws the input errors of reading files, and `image_corrupt`.
 */
export async function readImage(path: string, [channels, height, width]: ImageShape): Promise<Float32Array> {
  const bytes = await readWholeFile(path, maximumBytes);
  // Loaded here because its native library costs a tenth of a second, which other commands need not pay.
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(bytes, { failOn: "error", limitInputPixels: maximumPixels })
    .autoOrient()
    .flatten({ background: "#000" })
    .resize(width, height, { fit: "cover" })
    .toColourspace(channels === 1 ? "b-w" : "srgb")
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw inputError("image_corrupt", `cannot decode the image (${(error as Error).message.split("\n")[0]})`, {
        file: path,
        expected: `an image file of at most ${maximumPixels} pixels`,
      });
    });
  const area = height * width;
  const planes = new Float32Array(channels * area);
  for (let channel = 0; channel < channels; channel++) {
    const from = Math.min(channel, info.channels - 1);
    for (let pixel = 0; pixel < area; pixel++) planes[channel * area + pixel] = data[pixel * info.channels + from]!;
  }
  return planes;
}
