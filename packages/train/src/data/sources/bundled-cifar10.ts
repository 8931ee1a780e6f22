import { withPlace } from "@dovetail/core";
import { digestOfBytes, readWholeFile } from "../../files/read-file.js";
import type { DescriptionOf } from "../description.js";
import { locateBundledPack, locateDataset, type PlaceOptions } from "../locate.js";
import { decodePack, type Pack } from "../pack/read-pack.js";
import type { ImageSource } from "../source.js";
import { decodeJpegs } from "./decode-jpegs.js";

const maximumPackBytes = 2 ** 30;

/** The images that come with Dovetail, or another pack of the same format. */
export async function openBundledCifar10(
  description: DescriptionOf<"bundled-cifar10">,
  options: PlaceOptions,
): Promise<ImageSource> {
  const { path } = description;
  const place = path === undefined ? await locateBundledPack() : await locateDataset(path, path, options);
  const bytes = await readWholeFile(place, maximumPackBytes);
  const pack = openPack(bytes, place);
  const { name, citation, licence, classNames, imageShape } = pack.description;
  return {
    name,
    files: [{ name: `${name}.dvpack`, path: place, sha256: digestOfBytes(bytes) }],
    citation,
    licence,
    options: {},
    async decode(watch) {
      const decodePart = (part: "train" | "test") =>
        decodeJpegs(
          {
            count: pack.parts[part].labels.length,
            bytes: pack.parts[part].file,
            label: (index) => pack.parts[part].labels[index]!,
            name: (index) => `${part} image ${index}`,
          },
          { name, file: place, imageShape, classCount: classNames.length, watch },
        );
      return { classNames, imageShape, train: await decodePart("train"), test: await decodePart("test") };
    },
  };
}

function openPack(bytes: Uint8Array, file: string): Pack {
  try {
    return decodePack(bytes);
  } catch (error) {
    throw withPlace(error, { file });
  }
}
