import * as z from "zod";
import { type ReadOptions, readDocument } from "../documents/document.js";
import { nameSchema, positiveSchema } from "../documents/names.js";
import { fpgaBoards } from "../fpga/board.js";
import { fpgaTemplate } from "../fpga/corrected-template.js";
import { fpgaLayerOf } from "../fpga/from-problem.js";
import { createFpgaSolver, type FpgaObjective, type FpgaSolution } from "../fpga/solve.js";
import type { Problem } from "../workload/problem.js";
import { type Accelerator, readAccelerator } from "./document.js";

/** A pipeline of chunks on an FPGA board: all layers run at once, each chunk on another image. */
export interface PipelineAccelerator {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly board: keyof typeof fpgaBoards;
  readonly clockMhz: number;
  /** What the board has, as published; `bram` in blocks of 18 Kb. */
  readonly published: readonly {
    readonly fact: "dsp" | "bram";
    readonly value: number;
    readonly source: string;
  }[];
  readonly notes: readonly string[];
}

const boardNames = Object.keys(fpgaBoards) as (keyof typeof fpgaBoards)[];

const pipelineSchema = z.strictObject({
  name: nameSchema,
  title: z.string().min(1),
  source: z.string().min(1),
  board: z.enum(boardNames),
  clockMhz: positiveSchema,
  published: z
    .array(z.strictObject({ fact: z.enum(["dsp", "bram"]), value: positiveSchema, source: z.string().min(1) }))
    .default([]),
  notes: z.array(z.string().min(1)).default([]),
});

/** A document of the zoo: one with a `board` is a pipeline. Errors as `readAccelerator`. */
export function readZooDocument(text: string, options: ReadOptions = {}): Accelerator | PipelineAccelerator {
  return /^\s*"?board"?\s*:/m.test(text)
    ? readDocument<PipelineAccelerator>(pipelineSchema, text, options)
    : readAccelerator(text, options);
}

export function isPipeline(document: Accelerator | PipelineAccelerator): document is PipelineAccelerator {
  return "board" in document;
}

/**
 * The fastest chunks for these layers on the board, as a pipeline or one after another (`createFpgaSolver`, exact over its
 * spaces).
 */
export function solvePipeline(
  layers: readonly { readonly name: string; readonly problem: Problem }[],
  { board, clockMhz }: PipelineAccelerator,
  objective: FpgaObjective = "throughput",
): FpgaSolution {
  const device = fpgaBoards[board];
  const template = fpgaTemplate({ board: device, clockHz: clockMhz * 1e6 });
  return createFpgaSolver(template).solve(
    layers.map(({ name, problem }) => fpgaLayerOf(name, problem)),
    device,
    objective,
  );
}
