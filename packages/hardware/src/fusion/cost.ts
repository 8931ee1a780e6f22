import { inputError } from "@dovetail/core";
import { checkFusion, type FusionArray, type FusionLayer, type FusionTile } from "./array.js";
import {
  type FusionBits,
  type FusionLoop,
  type FusionTraffic,
  fusionLoops,
  prepareTile,
  tileTraffic,
} from "./traffic.js";

export interface FusionCost extends FusionTraffic {
  readonly model: string;
  readonly tile: FusionTile;
  /** Loops over tiles, outermost first. */
  readonly order: readonly FusionLoop[];
}

export interface FusionOptions {
  /** Energy by which tilings of equal latency are told apart, pJ a bit. */
  readonly offChipPjPerBit?: number | undefined;
  readonly bufferPjPerBit?: number | undefined;
}

export const fusionModelName = "composable array: Bit Fusion's closed forms (04ec1c8)";

/**
 * The cost of a layer on an array of fused units at the tiling and loop order of the least latency, ties by energy
 * (defaults: 15 pJ a bit off chip, as Bit Fusion's simulator charges; 0.05 pJ in a buffer, the middle of its CACTI runs
 * of such banks, cost-model.md section 8.5). Tiles are powers of two of batch, output and channels; the kernel is whole.
 *
 * @throws DovetailError `fusion_layer` for sizes that are no positive integers, and when not even the smallest tile fits.
 */
export function fusionCost(layer: FusionLayer, array: FusionArray, options: FusionOptions = {}): FusionCost {
  checkFusion(layer, array);
  const { offChipPjPerBit = 15, bufferPjPerBit = 0.05 } = options;
  let best: FusionCost | undefined;
  let bestEnergyPj = Number.POSITIVE_INFINITY;
  for (const tile of tilesOf(layer, array)) {
    const prepared = prepareTile(layer, array, tile);
    if (prepared === undefined) continue;
    for (const order of orders) {
      const traffic = tileTraffic(prepared, array, order);
      if (best !== undefined && traffic.latencyCycles > best.latencyCycles) continue;
      const energyPj =
        offChipPjPerBit * (traffic.bits.offChipReads + traffic.bits.offChipWrites) +
        bufferPjPerBit * fusionBufferBits(traffic.bits);
      if (best !== undefined && traffic.latencyCycles === best.latencyCycles && energyPj >= bestEnergyPj) continue;
      best = { model: fusionModelName, tile, order, ...traffic };
      bestEnergyPj = energyPj;
    }
  }
  if (best === undefined) {
    throw inputError("fusion_layer", "not even the smallest tile fits half of the buffers", {
      path: [layer.name],
      expected: `${array.weightBufferBits / 2}, ${array.inputBufferBits / 2} and ${array.outputBufferBits / 2} bits`,
    });
  }
  return best;
}

/** Bits read from and written to the three buffers. */
export function fusionBufferBits(bits: FusionBits): number {
  const { weightReads, weightWrites, inputReads, inputWrites, outputReads, outputWrites } = bits;
  return weightReads + weightWrites + inputReads + inputWrites + outputReads + outputWrites;
}

/** All orders of the five loops. */
const orders: readonly (readonly FusionLoop[])[] = permutations(fusionLoops);

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}

function* tilesOf(layer: FusionLayer, array: FusionArray): Generator<FusionTile> {
  const step = layer.unrollsKernel ? 1 : array.columns;
  for (const batch of powers(layer.batch, 1)) {
    for (const outputSize of powers(layer.outputSize, 1)) {
      for (const inputChannels of powers(layer.inputChannels, 1)) {
        for (const outputChannels of powers(layer.outputChannels, step)) {
          yield { batch, outputSize, inputChannels, outputChannels };
        }
      }
    }
  }
}

/** step, 2 step, 4 step, … up to the extent, which is the last. */
function powers(extent: number, step: number): number[] {
  const result: number[] = [];
  for (let size = step; size < extent; size *= 2) result.push(size);
  return [...result, extent];
}
