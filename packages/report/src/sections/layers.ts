import {
  type Architecture,
  type ChunkResult,
  type LevelCost,
  type LimitingResource,
  type MappingCost,
  printMapping,
} from "@dovetail/hardware";
import { energyByLevel, energyOnLevels } from "../data/energy-levels.js";
import { layerLabel } from "../data/layer-name.js";
import { describeKernel, describeOutput, layerShape } from "../data/layer-shape.js";
import type { LayerResult, ReportData } from "../data/report-data.js";
import { formatCount, formatPercent, formatShort, formatSi, formatSignificant } from "../format/numbers.js";
import { type Insertion, type Markup, markup } from "../markup/markup.js";
import { inlineSvg } from "../plots/picture.js";
import { type Category, stackedStrip } from "../plots/stacked-bars.js";
import { seriesClass } from "../theme/theme.js";
import { countDerivations } from "./counts.js";
import { type Column, type Section, seriesList, table } from "./elements.js";

/** Every layer on the accelerator: what it costs, where, what holds it up, and its mapping. */
export function layersSection({ found }: ReportData): Section {
  const { layers, accelerator } = found;
  const content =
    accelerator.kind === "asic"
      ? mappedLayers(layers, accelerator.architecture)
      : chunkedLayers(layers, accelerator.pipeline.chunks);
  return { id: "layers", title: "Layer by layer", content };
}

/** Names and colours of the places where energy goes. */
export function energyCategories(levels: readonly string[]): Category[] {
  return levels.map((name, index) => ({ name, series: seriesClass(index) }));
}

const shapeColumns: readonly Column[] = [
  { title: "Layer" },
  { title: "Output" },
  { title: "Kernel" },
  { title: "MACs", number: true },
  { title: "Cycles", number: true },
];

function shapeCells(layer: LayerResult, name: Insertion): Insertion[] {
  const shape = layerShape(layer.problem);
  return [
    name,
    markup`<span class="nowrap">${describeOutput(shape)}</span>`,
    markup`<span class="nowrap">${describeKernel(shape)}</span>`,
    formatShort(layer.macs),
    formatCount(layer.latencyCycles),
  ];
}

function mappedLayers(layers: readonly LayerResult[], architecture: Architecture): Markup {
  const levels = energyByLevel(layers)?.levels ?? [];
  const categories = energyCategories(levels);
  const cycles = layers.reduce((sum, { latencyCycles }) => sum + latencyCycles, 0);
  const rows = layers.map((layer, index) => {
    const { cost, latencyCycles } = layer;
    const name = layer.mapping && markup`<a href="#layer-${String(index)}">${breakable(layerLabel(layer.name))}</a>`;
    return {
      cells: [
        ...shapeCells(layer, name ?? breakable(layerLabel(layer.name))),
        formatPercent(latencyCycles / cycles),
        formatPercent(cost?.utilization),
        formatSi(cost && cost.energyPj * 1e-12, "J"),
        cost && energyStrip(layer, levels, categories),
        cost && markup`<span class="nowrap">${describeLimit(cost.limitedBy)}</span>`,
      ],
    };
  });
  const models = [...new Set(layers.flatMap(({ cost }) => (cost === undefined ? [] : [cost.model])))];
  const mapped = layers.flatMap((layer, index) => mappingDetails(layer, index, architecture) ?? []);
  return markup`${seriesList(categories)}${table({
    caption: "Layers with utilisation, energy and what limits their speed",
    className: "layer-table",
    columns: [
      ...shapeColumns,
      { title: "Share", number: true },
      { title: "Utilisation", number: true },
      { title: "Energy", number: true },
      { title: "Energy by level" },
      { title: "Limited by" },
    ],
    rows,
  })}<p class="quiet">Share: of all cycles of the network. Utilisation: cycles with all compute units busy, of the layer’s cycles. Cost model: ${models.join("; ")}.</p>
<h3>Mappings</h3>
<p class="quiet">Each layer as the loop nest that runs on the accelerator, outermost loop first; spatial loops run side by side on the array.</p>
${mapped}`;
}

function energyStrip(layer: LayerResult, levels: readonly string[], categories: readonly Category[]): Markup {
  const energy = energyByLevel([layer])!;
  const values = energyOnLevels(energy, levels);
  const format = (value: number): string => formatSi(value * 1e-12, "J");
  const label = levels
    .map((level, index) => `${level} ${formatPercent(values[index]! / energy.totalPj, 0)}`)
    .join(", ");
  return inlineSvg(stackedStrip(values, { label, categories, format }));
}

function mappingDetails(layer: LayerResult, index: number, architecture: Architecture): Markup | undefined {
  const { name, problem, mapping, cost } = layer;
  if (mapping === undefined) return undefined;
  const summary =
    cost === undefined ? "" : `${formatSi(cost.energyPj * 1e-12, "J")}, ${formatCount(cost.latencyCycles)} cycles`;
  return markup`<details id="layer-${String(index)}"><summary><b>${breakable(name)}</b> <span class="quiet">${summary}</span></summary>
<pre tabindex="0"><code>${printMapping(mapping)}</code></pre>
${cost && accessTable(name, cost)}${cost && countDerivations({ problem, mapping, cost }, architecture)}</details>
`;
}

/** What each memory reads and writes for each tensor. */
function accessTable(name: string, cost: MappingCost): Markup {
  const numbers = ["Instances in use", "Tile", "Reads", "Fills", "Updates", "Energy"];
  return table({
    caption: `Words kept and moved by each instance for ${name}, energy of all instances together`,
    columns: [{ title: "Level" }, { title: "Tensor" }, ...numbers.map((title) => ({ title, number: true }))],
    rows: [
      ...cost.levels.flatMap(levelRows),
      {
        cells: [
          cost.compute.name,
          "",
          formatCount(cost.compute.units),
          "",
          "",
          "",
          "",
          formatSi(cost.compute.energyPj * 1e-12, "J"),
        ],
      },
    ],
  });
}

function levelRows({ level, instances, dataSpaces }: LevelCost): { cells: string[] }[] {
  return dataSpaces.map((space) => ({
    cells: [
      level,
      space.dataSpace,
      ...[instances, space.tileWords, space.reads, space.fills, space.updates].map(formatCount),
      formatSi(space.energyPj * 1e-12, "J"),
    ],
  }));
}

function describeLimit(limit: LimitingResource): string {
  if (limit.resource === "compute") return "compute";
  return `${limit.level} ${limit.port === "shared" ? "" : `${limit.port} `}bandwidth`;
}

/** A name that may be broken after its dots and slashes. */
function breakable(name: string): Markup {
  const parts = name.split(/(?<=[./])/);
  return markup`${parts.map((part, index) => (index === 0 ? markup`${part}` : markup`<wbr>${part}`))}`;
}

function chunkedLayers(layers: readonly LayerResult[], chunks: readonly ChunkResult[]): Markup {
  const pace = chunks.reduce<ChunkResult | undefined>(
    (most, chunk) => (chunk.cycles > (most?.cycles ?? 0) ? chunk : most),
    undefined,
  );
  const rows = layers.map((layer) => {
    const chunk = chunks.find(({ name }) => name === layer.chunk);
    const limit =
      chunk === undefined ? "" : chunk === pace ? "own cycles (bottleneck)" : `waits for ${pace?.name ?? "none"}`;
    return {
      cells: [
        ...shapeCells(layer, breakable(layerLabel(layer.name))),
        layer.chunk ?? "",
        formatPercent(chunk && layer.latencyCycles / chunk.cycles),
        formatSignificant(chunk && layer.macs / (layer.latencyCycles * chunk.dsp)),
        markup`<span class="nowrap">${limit}</span>`,
      ],
    };
  });
  return table({
    caption: "Layers with the sub-accelerators that run them, their utilisation and what limits the pace",
    className: "layer-table",
    columns: [
      ...shapeColumns,
      { title: "Runs on" },
      { title: "Of its cycles", number: true },
      { title: "MACs per DSP slice and cycle", number: true },
      { title: "Limited by" },
    ],
    rows,
  });
}
