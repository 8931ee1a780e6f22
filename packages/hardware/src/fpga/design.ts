import type { FpgaLayerKind } from "./layer.js";

/**
 * Which loop the multipliers are unrolled over: output channels, output and input channels, or output rows. (The
 * published modes 0, 1 and 2; of depth-wise chunks 0 and 1 are output channels and rows.)
 */
export type Parallelism = "outputChannels" | "channels" | "rows";

/**
 * Design of one sub-accelerator ("chunk"): the tile that its buffers hold, and how far each loop is unrolled, never
 * further than the tile. Depth-wise chunks have one input channel per output channel: both input-channel entries are 1.
 */
export interface ChunkDesign {
  readonly parallelism: Parallelism;
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly tileOutputChannels: number;
  readonly tileInputChannels: number;
  readonly unrollRows: number;
  readonly unrollColumns: number;
  readonly unrollOutputChannels: number;
  readonly unrollInputChannels: number;
}

/** Lists from which a chunk's tile is chosen; the unrolls come from the same lists, up to the tile. */
export interface ChunkSpace {
  readonly kind: FpgaLayerKind;
  readonly parallelisms: readonly Parallelism[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly outputChannels: readonly number[];
  readonly inputChannels: readonly number[];
}

/** Equal for spaces with the same designs in the same order. */
export function spaceKey(space: ChunkSpace): string {
  return [space.kind, space.parallelisms, space.rows, space.columns, space.outputChannels, space.inputChannels].join(
    ";",
  );
}

/** Choices of unroll for one tile extent and parallelism; a model narrows them to those that can matter. */
export type UnrollRule = (
  parallelism: Parallelism,
  loop: "rows" | "columns" | "outputChannels" | "inputChannels",
  tile: number,
  choices: readonly number[],
) => readonly number[];

/** Every unroll up to the tile: the whole space. */
export const everyUnroll: UnrollRule = (_parallelism, _loop, tile, choices) =>
  choices.filter((choice) => choice <= tile);

/** All designs of a space under a rule for the unrolls, in a fixed order. */
export function enumerateDesigns(space: ChunkSpace, rule: UnrollRule): ChunkDesign[] {
  const designs: ChunkDesign[] = [];
  for (const parallelism of space.parallelisms) {
    const pairs = (loop: "rows" | "columns" | "outputChannels" | "inputChannels"): [number, number][] =>
      space[loop].flatMap((tile) =>
        rule(parallelism, loop, tile, space[loop]).map((unroll): [number, number] => [tile, unroll]),
      );
    const columns = pairs("columns");
    const outputChannels = pairs("outputChannels");
    const inputChannels = pairs("inputChannels");
    for (const [tileRows, unrollRows] of pairs("rows")) {
      for (const [tileColumns, unrollColumns] of columns) {
        for (const [tileOutputChannels, unrollOutputChannels] of outputChannels) {
          for (const [tileInputChannels, unrollInputChannels] of inputChannels) {
            designs.push({
              parallelism,
              tileRows,
              tileColumns,
              tileOutputChannels,
              tileInputChannels,
              unrollRows,
              unrollColumns,
              unrollOutputChannels,
              unrollInputChannels,
            });
          }
        }
      }
    }
  }
  return designs;
}
