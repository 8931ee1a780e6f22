import { allocate, allocateForLatency } from "./allocate.js";
import { type ChunkDesign, type ChunkSpace, spaceKey } from "./design.js";
import { chunkFootprint, evaluatePipeline, type PipelineResult } from "./evaluate.js";
import { classifyResources, type FrontPoint, paretoFront, type ResourceClasses } from "./front.js";
import { checkLayer, type FpgaLayer, layerKey } from "./layer.js";
import type { FpgaResources } from "./model.js";
import { type Chunk, dealLayers, type FpgaTemplate, outputSize, splitSizes } from "./template.js";

/** The fastest pipeline that fits, or that none does. */
export type FpgaSolution =
  | (PipelineResult & { readonly feasible: true; readonly splitSize: number })
  | { readonly feasible: false };

/** What designs are chosen for: images a second (default), or the time of one image through all layers. */
export type FpgaObjective = "throughput" | "latency";

/** Finds exact optima of one template; keeps what it computed per layer shape for the next call. */
export interface FpgaSolver {
  /**
   * The fastest designs for these layers within the limits. Exact over the template's spaces: every chunk's candidates
   * are enumerated (seeds-hardware.md section 2.7, check 2). Among the splits is that with all layers of a kind in one
   * chunk, one after another (multi-cycle). Throws `bad_fpga_layer`.
   */
  solve(layers: readonly FpgaLayer[], limits: FpgaResources, objective?: FpgaObjective): FpgaSolution;
}

/** A space's candidates and what is known about them. */
interface SpaceTable {
  readonly designs: readonly ChunkDesign[];
  /** Cycles of one layer shape on every candidate. */
  readonly cycles: Map<string, Float64Array>;
  readonly classes: Map<string, ResourceClasses>;
}

/** A solver for the template. Memory grows with the number of distinct layer shapes: 8 bytes per shape and candidate. */
export function createFpgaSolver(template: FpgaTemplate): FpgaSolver {
  const tables = new Map<string, SpaceTable>();
  const tableOf = (space: ChunkSpace): SpaceTable => {
    const key = spaceKey(space);
    let table = tables.get(key);
    if (table === undefined) {
      table = { designs: template.model.candidates(space), cycles: new Map(), classes: new Map() };
      tables.set(key, table);
    }
    return table;
  };
  return {
    solve(layers, limits, objective = "throughput") {
      let best: FpgaSolution = { feasible: false };
      let bestValue = Number.POSITIVE_INFINITY;
      const choose = objective === "throughput" ? allocate : allocateForLatency;
      const sums = new Map<string, Float64Array>();
      const frontOf = (chunk: Chunk): FrontPoint[] => {
        const table = tableOf(chunk.space);
        return paretoFront(chunkCycles(template, table, chunk, sums), chunkClasses(template, table, chunk));
      };
      for (const splitSize of splitSizes(template, layers)) {
        const chunks = dealLayers(template, layers, splitSize);
        const points = choose(chunks.map(frontOf), limits);
        if (points === undefined) continue;
        const cycles = points.map((point) => point.cycles);
        const value = objective === "throughput" ? Math.max(0, ...cycles) : cycles.reduce((sum, each) => sum + each, 0);
        if (value >= bestValue) continue;
        bestValue = value;
        const designs = points.map((point, index) => tableOf(chunks[index]!.space).designs[point.designIndex]!);
        best = { feasible: true, splitSize, ...evaluatePipeline(template, chunks, designs) };
      }
      return best;
    },
  };
}

/** Cycles of a chunk's layers together. `sums` keeps those of equal output size: no split tears them apart. */
function chunkCycles(
  template: FpgaTemplate,
  table: SpaceTable,
  chunk: Chunk,
  sums: Map<string, Float64Array>,
): Float64Array {
  const total = new Float64Array(table.designs.length);
  for (const size of new Set(chunk.layers.map(outputSize))) {
    const key = `${spaceKey(chunk.space)};${chunk.bitWidth};${size}`;
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = new Float64Array(table.designs.length);
      for (const layer of chunk.layers) if (outputSize(layer) === size) add(sum, layerCycles(template, table, layer));
      sums.set(key, sum);
    }
    add(total, sum);
  }
  return total;
}

function layerCycles(template: FpgaTemplate, table: SpaceTable, layer: FpgaLayer): Float64Array {
  const key = layerKey(layer);
  let cycles = table.cycles.get(key);
  if (cycles === undefined) {
    checkLayer(layer);
    cycles = Float64Array.from(table.designs, (design) => template.model.layerCycles(layer, design));
    table.cycles.set(key, cycles);
  }
  return cycles;
}

function add(sum: Float64Array, term: Float64Array): void {
  for (let design = 0; design < sum.length; design++) sum[design] = sum[design]! + term[design]!;
}

function chunkClasses(template: FpgaTemplate, table: SpaceTable, chunk: Chunk): ResourceClasses {
  const footprint = chunkFootprint(chunk);
  const kernels = footprint.kernels.map((kernel) => `${kernel.kernelHeight},${kernel.kernelWidth},${kernel.stride}`);
  const key = `${chunk.bitWidth};${kernels.sort().join(";")}`;
  let classes = table.classes.get(key);
  if (classes === undefined) {
    classes = classifyResources(table.designs.map((design) => template.model.resources(footprint, design)));
    table.classes.set(key, classes);
  }
  return classes;
}
