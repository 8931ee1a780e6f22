import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { DovetailError, type Watch } from "@dovetail/core";
import type { Tensor } from "@dovetail/graph";
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../checkpoint/safetensors.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { digestOfBytes, isPresent } from "../files/read-file.js";
import type { DecodedImages, ImageShape, LabelledImages, Labels } from "./dataset.js";
import type { ImageSource } from "./source.js";

/** Part of the key: a change of the decoders' output or of the file's contents asks for a new number. */
const cacheVersion = 1;

const metadataSchema = z.object({ key: z.string(), sha256: z.string(), classNames: z.string() });

/**
 * The decoded images of a source, from the cache folder where it has them, else decoded and put there. The cache is
 * keyed by the hashes of the source's files and by its options, checked by its own hash when read, and remade when
 * that fails. A cache that cannot be written is no error: it is only said in the log.
 */
export async function decodeCached(
  source: ImageSource,
  cacheFolder: string | undefined,
  watch: Watch,
): Promise<DecodedImages> {
  if (cacheFolder === undefined) return source.decode(watch);
  const key = cacheKey(source);
  const path = join(cacheFolder, `${source.name.replaceAll(/[^A-Za-z0-9-]/g, "_")}-${key.slice(0, 16)}.safetensors`);
  const cached = await readCache(path, key, watch);
  if (cached) return cached;
  const decoded = await source.decode(watch);
  try {
    await writeFileAtomically(path, encodeDecoded(decoded, key));
  } catch (error) {
    if (!(error instanceof DovetailError)) throw error;
    watch.log?.warn(`decoded images are not kept for the next time: ${error.message}`);
  }
  return decoded;
}

function cacheKey(source: ImageSource): string {
  const files = source.files.map((file) => file.sha256);
  return digestOfBytes(JSON.stringify({ cacheVersion, name: source.name, files, options: source.options }));
}

function encodeDecoded(decoded: DecodedImages, key: string): Uint8Array[] {
  const { classNames, imageShape, train, test } = decoded;
  const tensors = new Map<string, Tensor>();
  for (const [part, { images, labels }] of [
    ["train", train],
    ["test", test],
  ] as const) {
    const count = labels.length;
    tensors.set(`${part}.images`, { elementType: "uint8", dimensions: [count, ...imageShape], data: images });
    const elementType = labels instanceof Uint8Array ? "uint8" : "uint16";
    tensors.set(`${part}.labels`, { elementType, dimensions: [count], data: labels });
  }
  const names = JSON.stringify(classNames);
  return encodeSafetensors(tensors, { key, classNames: names, sha256: digestOfTensors(tensors, key, names) });
}

function digestOfTensors(tensors: ReadonlyMap<string, Tensor>, key: string, classNames: string): string {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const layout = sorted.map(([name, { elementType, dimensions }]) => [name, elementType, dimensions]);
  const contents = sorted.map(([, { data }]) => data as Labels);
  const bytes = contents.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  return digestOfBytes(JSON.stringify([key, classNames, layout]), ...bytes);
}

async function readCache(path: string, key: string, watch: Watch): Promise<DecodedImages | undefined> {
  if (!(await isPresent(path))) return undefined;
  try {
    const decoded = parseCache(await readShared(path), key);
    if (decoded) return decoded;
  } catch (error) {
    if (!(error instanceof DovetailError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  watch.log?.warn(`${path} is damaged and is made again`);
  return undefined;
}

/** The images in a cache file's own memory, or undefined where anything about it is not as it was written. */
function parseCache(file: Uint8Array, key: string): DecodedImages | undefined {
  const { tensors, metadata } = decodeSafetensors(file);
  const parsed = metadataSchema.safeParse(metadata);
  if (!parsed.success || parsed.data.key !== key) return undefined;
  const { classNames, sha256 } = parsed.data;
  if (digestOfTensors(tensors, key, classNames) !== sha256) return undefined;
  const part = (name: string): LabelledImages => ({
    images: tensors.get(`${name}.images`)!.data as Uint8Array,
    labels: tensors.get(`${name}.labels`)!.data as Labels,
  });
  const imageShape = tensors.get("train.images")!.dimensions.slice(1) as unknown as ImageShape;
  return { classNames: JSON.parse(classNames) as string[], imageShape, train: part("train"), test: part("test") };
}

/** Reads a file into shared memory, where workers can use it without a copy. */
async function readShared(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  const bytes = new Uint8Array(new SharedArrayBuffer(size));
  const handle = await open(path, "r");
  try {
    let position = 0;
    while (position < size) {
      const { bytesRead } = await handle.read(bytes, position, Math.min(size - position, 2 ** 30), position);
      if (bytesRead === 0) break;
      position += bytesRead;
    }
  } finally {
    await handle.close();
  }
  return bytes;
}
