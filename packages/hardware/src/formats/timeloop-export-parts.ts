import { inputError } from "@dovetail/core";

/** An error for what cannot be exported. */
export function cannotExport(message: string, path: readonly (string | number)[], details: object = {}): Error {
  return inputError("timeloop_export", message, { path, ...details });
}

/** Names of one letter are written together, as Timeloop's own files have them. */
export function separated(names: readonly string[]): string {
  return names.join(names.every((name) => name.length === 1) ? "" : " ");
}

/** A component with the range of its instances. */
export function ranged(name: string, count: number): string {
  return `${name}[1..${count}]`;
}
