import {
  type Chunk,
  evaluatePipeline,
  type FpgaLayer,
  fpgaBoards,
  fpgaTemplate,
  layerBitWidth,
  type PipelineResult,
  type ReadOptions,
  readDocument,
  writeDocument,
} from "@dovetail/hardware";
import { z } from "zod";

const positive = z.number().int().positive();

const designSchema = z.strictObject({
  parallelism: z
    .enum(["outputChannels", "channels", "rows"])
    .describe("What the multipliers are spread over; channels: output and input channels."),
  tileRows: positive.describe("Output rows that the buffers hold."),
  tileColumns: positive.describe("Output columns that the buffers hold."),
  tileOutputChannels: positive.describe("Output channels that the buffers hold."),
  tileInputChannels: positive.describe("Input channels that the buffers hold; 1 of depth-wise chunks."),
  unrollRows: positive.describe("Rows computed at once."),
  unrollColumns: positive.describe("Columns computed at once."),
  unrollOutputChannels: positive.describe("Output channels computed at once."),
  unrollInputChannels: positive.describe("Input channels computed at once."),
});

/** accelerator.yaml of an FPGA: the pipeline of chunks, with the layers that each runs. */
export const pipelineSchema = z.strictObject({
  board: z.enum(Object.keys(fpgaBoards) as [keyof typeof fpgaBoards]).describe("The board."),
  clockHz: z.number().positive().describe("Its clock."),
  chunks: z
    .array(
      z.strictObject({
        name: z.string().describe("Of the chunk."),
        kind: z.enum(["standard", "depthwise"]).describe("Of its convolutions; linear layers are standard."),
        bitWidth: positive.describe("Of weights and activations."),
        design: designSchema,
        layers: z.array(z.string()).min(1).describe("One after another, for each image."),
      }),
    )
    .min(1),
});

/** mappings/LAYER.yaml of an FPGA: which chunk runs the layer. */
export const chunkMappingSchema = z.strictObject({
  layer: z.string().describe("Name of the layer."),
  chunk: z.string().describe("The chunk that runs it."),
});

export type Pipeline = z.infer<typeof pipelineSchema>;
export type ChunkMapping = z.infer<typeof chunkMappingSchema>;

export function readPipeline(text: string, options: ReadOptions = {}): Pipeline {
  return readDocument<Pipeline>(pipelineSchema, text, options);
}

export function readChunkMapping(text: string, options: ReadOptions = {}): ChunkMapping {
  return readDocument<ChunkMapping>(chunkMappingSchema, text, options);
}

export function writeChunkMapping(mapping: ChunkMapping): string {
  return writeDocument<ChunkMapping>(chunkMappingSchema, mapping);
}

/** accelerator.yaml of a pipeline that runs these layers. */
export function writePipeline(
  board: string,
  clockHz: number,
  { chunks }: PipelineResult,
  layers: readonly FpgaLayer[],
): string {
  return writeDocument<Pipeline>(pipelineSchema, {
    board: board as Pipeline["board"],
    clockHz,
    chunks: chunks.map(({ name, design, layerIndices }) => {
      const own = layerIndices.map((index) => layers[index]!);
      return {
        name,
        kind: own[0]!.kind,
        bitWidth: layerBitWidth(own[0]!),
        design,
        layers: own.map((layer) => layer.name),
      };
    }),
  });
}

/** What the pipeline costs for a network's layers; undefined when it does not run exactly these. */
export function costPipeline(pipeline: Pipeline, layers: readonly FpgaLayer[]): PipelineResult | undefined {
  const template = fpgaTemplate({ board: fpgaBoards[pipeline.board], clockHz: pipeline.clockHz });
  const indexOf = new Map(layers.map(({ name }, index) => [name, index]));
  const assigned = pipeline.chunks.flatMap((chunk) => chunk.layers);
  const isComplete = assigned.length === layers.length && new Set(assigned).size === assigned.length;
  if (!isComplete || !assigned.every((name) => indexOf.has(name))) return undefined;
  const chunks = pipeline.chunks.map((chunk): Chunk => {
    const layerIndices = chunk.layers.map((name) => indexOf.get(name)!);
    return {
      name: chunk.name,
      kind: chunk.kind,
      bitWidth: chunk.bitWidth,
      space: template.space(chunk.kind, true),
      layerIndices,
      layers: layerIndices.map((index) => layers[index]!),
    };
  });
  return evaluatePipeline(
    template,
    chunks,
    pipeline.chunks.map((chunk) => chunk.design),
  );
}
