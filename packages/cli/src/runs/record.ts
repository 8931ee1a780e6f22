import { join } from "node:path";
import { inputError } from "@dovetail/core";
import { readFileIfPresent, writeFileAtomically } from "@dovetail/train";
import { z } from "zod";
import { stateFolder } from "./layout.js";

const versionsSchema = z.strictObject({ dovetail: z.string(), node: z.string(), onnxruntime: z.string() });

/** What kind of work a run is. */
export const runKinds = ["search", "design", "train"] as const;

const runRecordSchema = z.strictObject({
  format: z.literal("dovetail run"),
  version: z.literal(1),
  kind: z.enum(runKinds),
  /** The command line that began the run. */
  command: z.string(),
  versions: versionsSchema,
  /** Where relative paths in the recipe start. */
  baseFolder: z.string(),
  provider: z.enum(["cpu", "webgpu", "cuda"]),
  threads: z.number().int().positive().optional(),
});

/** How a run under way began: enough to go on from another process and another folder. */
export type RunRecord = z.infer<typeof runRecordSchema>;

const fileName = "run.json";

/** Writes the record: from here on the folder is a run. */
export function writeRunRecord(folder: string, record: RunRecord): Promise<void> {
  return writeFileAtomically(join(stateFolder(folder), fileName), `${JSON.stringify(record, null, 1)}\n`);
}

/** The record, or undefined where no run is under way. Throws the input error `run_record`. */
export async function readRunRecord(folder: string): Promise<RunRecord | undefined> {
  const path = join(stateFolder(folder), fileName);
  const bytes = await readFileIfPresent(path, 2 ** 20);
  if (bytes === undefined) return undefined;
  try {
    return runRecordSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    throw inputError("run_record", "the record of the run is damaged", { file: path });
  }
}
