import { DovetailError, inputError, withPlace } from "@dovetail/core";
import { readWholeFile } from "@dovetail/train";

/** Largest text that is read; the readers of documents have limits of their own below it. */
const maximumBytes = 2 ** 26;

/** A text file. Throws the input errors `file_missing`, `is_a_folder`, `file_too_large`, `not_text`. */
export async function readText(path: string): Promise<string> {
  const bytes = await readWholeFile(path, maximumBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw inputError("not_text", "the file is not UTF-8 text", { file: path });
  }
}

/** A document from a file: `read` is one of the readers of YAML text, whose complaints get the file's name. */
export async function readDocumentFile<T>(
  path: string,
  read: (text: string, options: { readonly file: string }) => T,
): Promise<T> {
  return read(await readText(path), { file: path });
}

/** What `work` gives; its errors, and those of a promise, get the file's name where they have none. */
export function inFile<T>(file: string, work: () => T): T {
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw withPlace(error, { file });
    }) as T;
  } catch (error) {
    throw error instanceof DovetailError ? withPlace(error, { file }) : error;
  }
}
