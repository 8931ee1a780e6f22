// For tests only: the form of the catalogue of bad inputs.
import { writeFileSync } from "node:fs";

/** An input that must be refused, in an empty current folder. */
export interface BadInput {
  /** What is wrong. */
  readonly what: string;
  /** Writes the files. */
  readonly prepare?: (() => void | Promise<void>) | undefined;
  /** The command line, without `dovetail`. */
  readonly line: string;
  readonly exitCode: 1 | 2;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Error of the operating system that writing files meets while the command runs. */
  readonly writing?: "ENOSPC" | "EACCES" | "EROFS" | undefined;
}

/** Bad inputs of one kind. */
export interface BadInputs {
  readonly title: string;
  readonly inputs: readonly BadInput[];
}

export const file = (name: string, contents: string | Uint8Array) => (): void => writeFileSync(name, contents);
