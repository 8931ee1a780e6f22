import type { ChunkDesign, ChunkResult, PipelineResult } from "@dovetail/hardware";
import { formatCount } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import type { Picture } from "../plots/picture.js";
import { fitText } from "../plots/text.js";
import { arrow } from "./network-drawing.js";

const width = 360;
const boxHeight = 76;
const gap = 18;

/**
 * The sub-accelerators of an FPGA design, each with its parallel loops, tile and resources. Images pass from one to the
 * next, so that all work at once; the slowest sets the pace and is marked.
 */
export function chunkPipeline(pipeline: PipelineResult, label: string): Picture {
  const { chunks, bottleneckCycles } = pipeline;
  const boxes = chunks.map((chunk, index) => {
    const y = index * (boxHeight + gap);
    return markup`${index > 0 && arrow(width / 2, y - gap, gap)}${chunkBox(chunk, y, chunk.cycles === bottleneckCycles, pipeline)}`;
  });
  return { width, height: chunks.length * (boxHeight + gap) - gap + 2, label, content: markup`${boxes}` };
}

function chunkBox(chunk: ChunkResult, y: number, pace: boolean, pipeline: PipelineResult): Markup {
  const { name, design, layerIndices, dsp, bram } = chunk;
  const layers = `${layerIndices.length} layer${layerIndices.length === 1 ? "" : "s"}${pace ? ", sets the pace" : ""}`;
  const lines = [describeParallel(design), describeTile(design)];
  return markup`<rect class="${pace ? "washed" : "box"}" x="1" y="${y + 1}" width="${width - 2}" height="${boxHeight}" rx="6"/><text class="${pace ? "strong accent" : "strong"}" x="12" y="${y + 20}">${fitText(`${name}: ${layers}`, 225)}</text>${lines.map(
    (line, index) =>
      markup`<text class="quiet small" x="12" y="${y + 40 + 17 * index}">${fitText(line, 232, 10)}</text>`,
  )}${resource("DSP", dsp, pipeline.dsp, y + 16)}${resource("BRAM", bram, pipeline.bram, y + 46)}`;
}

/** A chunk's share of what the whole pipeline takes. */
function resource(name: string, value: number, total: number, y: number): Markup {
  const [left, wide] = [252, 96];
  const share = total === 0 ? 0 : value / total;
  return markup`<text class="small" x="${left}" y="${y + 5}">${formatCount(value)} of ${formatCount(total)} ${name}</text><rect class="track" x="${left}" y="${y + 10}" width="${wide}" height="6" rx="2"/><rect class="fill baseline" x="${left}" y="${y + 10}" width="${wide * share}" height="6" rx="2"/>`;
}

function describeParallel(design: ChunkDesign): string {
  const { parallelism, unrollRows, unrollColumns, unrollOutputChannels, unrollInputChannels } = design;
  const factors = {
    rows: unrollRows,
    columns: unrollColumns,
    outputs: unrollOutputChannels,
    inputs: unrollInputChannels,
  };
  const used = Object.entries(factors).filter(([, factor]) => factor > 1);
  const loops = { outputChannels: "output channels", channels: "channels", rows: "rows" };
  const unrolled = used.map(([loop, factor]) => `${factor} ${loop}`).join(" × ") || "no unrolling";
  return `parallel ${loops[parallelism]}: ${unrolled}`;
}

function describeTile({ tileRows, tileColumns, tileOutputChannels, tileInputChannels }: ChunkDesign): string {
  return `tile ${tileRows} × ${tileColumns}, ${tileOutputChannels} output × ${tileInputChannels} input channels`;
}
