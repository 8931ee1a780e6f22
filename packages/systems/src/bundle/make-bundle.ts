// What is delivered of a network that switches its precision: a model and a mapping set a precision, and the index.

import { join } from "node:path";
import { type Architecture, type Mapping, writeArchitecture } from "@dovetail/hardware";
import { digestOfBytes, writeFileAtomically } from "@dovetail/train";
import {
  type BundleContent,
  type BundleCost,
  type BundleFile,
  bundleIndexFile,
  printBundleIndex,
  printBundleMappings,
} from "./index-file.js";

/** A precision to be delivered. */
export interface PrecisionDelivery {
  readonly bits: number;
  readonly onnx: Uint8Array;
  readonly form: "qdq" | "float";
  /** Of `onnx` in ONNX Runtime, on the test images. */
  readonly accuracyFraction: number;
  readonly hardware?:
    | {
        readonly layers: readonly { readonly name: string; readonly mapping: Mapping }[];
        readonly cost: BundleCost;
      }
    | undefined;
}

export interface BundleDelivery {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly imageShape: readonly number[];
  readonly precisions: readonly PrecisionDelivery[];
  /** For a defence by random precision: the set that is drawn from. */
  readonly randomSet?: readonly number[] | undefined;
  /** What the mappings are for. */
  readonly architecture?: Architecture | undefined;
}

/** The files of a bundle by their paths inside it, the index last. */
export function bundleFiles(delivery: BundleDelivery): Map<string, string | Uint8Array> {
  const files = new Map<string, string | Uint8Array>();
  const add = (file: string, contents: string | Uint8Array): BundleFile => {
    files.set(file, contents);
    return { file, bytes: Buffer.byteLength(contents), sha256: digestOfBytes(contents) };
  };
  const precisions = delivery.precisions
    .toSorted((a, b) => a.bits - b.bits)
    .map((precision) => {
      const { bits, form, accuracyFraction, hardware } = precision;
      const folder = `precision-${bits}`;
      const model = add(`${folder}/network.onnx`, precision.onnx);
      if (!hardware) return { bits, model, form, accuracyFraction };
      const layers = hardware.layers.map(({ name, mapping }) => ({ name, mapping }));
      const text = printBundleMappings({ format: "dovetail mappings", version: 1, bits, layers });
      const mappings = add(`${folder}/mappings.yaml`, text);
      return { bits, model, form, accuracyFraction, mappings, cost: hardware.cost };
    });
  const content: BundleContent = {
    format: "dovetail bundle",
    version: 1,
    name: delivery.name,
    classNames: [...delivery.classNames],
    imageShape: [...delivery.imageShape],
    precisions,
    ...(delivery.randomSet && { defence: { kind: "rps", set: [...delivery.randomSet] } }),
    ...(delivery.architecture && { accelerator: add("accelerator.yaml", writeArchitecture(delivery.architecture)) }),
  };
  files.set(bundleIndexFile, printBundleIndex(content));
  return files;
}

/** Writes a bundle. The index comes last: a folder without it is no bundle. Errors as `writeFileAtomically`. */
export async function writeBundle(folder: string, delivery: BundleDelivery): Promise<void> {
  for (const [file, contents] of bundleFiles(delivery)) await writeFileAtomically(join(folder, file), contents);
}
