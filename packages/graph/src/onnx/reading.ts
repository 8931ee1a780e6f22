import { type DovetailError, inputError } from "@dovetail/core";
import type { ReadLimits } from "./limits.js";

/** Gives the bytes of a file beside the model, or undefined when it isn't there. */
export type ExternalDataSource = (location: string, offset: number, length: number) => Uint8Array | undefined;

/** What the parts of the reader share. */
export interface Reading {
  readonly limits: ReadLimits;
  readonly externalData: ExternalDataSource | undefined;
  readonly missingExternalData: "error" | "shape-only";
}

/** Where in the message a part lies. */
export type Path = readonly (string | number)[];

type Details = { expected?: string; received?: string; hint?: string };

/** The file breaks the format. */
export function malformed(path: Path, message: string, details: Details = {}): DovetailError {
  return inputError("malformed_model", message, { path, ...details });
}

/** The file is sound, but holds something that Dovetail does not read. */
export function unsupported(path: Path, message: string, details: Details = {}): DovetailError {
  return inputError("unsupported_model", message, { path, ...details });
}

/** A name that must be there and not be empty. */
export function requiredName(name: string | undefined, path: Path): string {
  if (!name) throw malformed(path, "the name is missing");
  return name;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Text that the schema declares as bytes. */
export function decodeText(bytes: Uint8Array, path: Path): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw unsupported(path, "the string is not UTF-8 text");
  }
}
