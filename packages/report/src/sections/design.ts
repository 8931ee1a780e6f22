import { networkBlocks } from "../data/blocks.js";
import { layerLabel } from "../data/layer-name.js";
import { describeOutput, layerShape } from "../data/layer-shape.js";
import type { AcceleratorResult, LayerResult, ReportCandidate, ReportData } from "../data/report-data.js";
import { chunkPipeline } from "../drawings/chunk-pipeline.js";
import { memoryHierarchy } from "../drawings/memory-hierarchy.js";
import { networkDrawing } from "../drawings/network-drawing.js";
import { formatCount, formatShort, formatSi, formatSignificant } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import { cycleLanes } from "../plots/cycle-lanes.js";
import { figure, type Section, table } from "./elements.js";
import { parameterName, parameterText } from "./words.js";

/** The found pair, drawn: network and accelerator. */
export function designSection({ found, baselines, trace }: ReportData): Section {
  const blocks = networkBlocks(found, trace.positions);
  const described = blocks.map(({ name, operator, layers }) => {
    const last = layers[layers.length - 1];
    return `${name}${operator === undefined ? "" : ` ${operator}`}${last === undefined ? "" : ` to ${describeOutput(layerShape(last.problem))}`}`;
  });
  const network = figure(
    `Network: ${found.name}`,
    `${formatShort(found.macs)} multiply-accumulates an image, ${formatShort(found.parameters)} parameters${found.operators === undefined ? "" : "; tinted: what the search chose"}; /2: stride 2`,
    networkDrawing(blocks, `Network with ${blocks.length} blocks: ${described.join("; ")}`),
  );
  const content = markup`<div class="drawings">${network}<div>${acceleratorDrawings(found.accelerator, found.layers)}${parameterTable([found, ...baselines.slice(0, 1)])}</div></div>
`;
  return { id: "design", title: "Network and accelerator", content };
}

/** What was chosen of the family, beside what the first baseline has. */
function parameterTable(candidates: readonly ReportCandidate[]): Markup | undefined {
  const designs = candidates.flatMap(({ name, accelerator }) =>
    accelerator.kind === "asic" ? [{ name, parameters: accelerator.parameters }] : [],
  );
  const names = Object.keys(designs[0]?.parameters ?? {});
  if (names.length === 0) return undefined;
  return table({
    caption: "Parameters of the accelerator",
    columns: [{ title: "Parameter" }, ...designs.map(({ name }) => ({ title: name, number: true }))],
    rows: names.map((name) => ({
      cells: [
        parameterName(name),
        ...designs.map(({ parameters }) => {
          const value = parameters[name];
          return value === undefined ? "–" : parameterText(name, value);
        }),
      ],
    })),
  });
}

function acceleratorDrawings(accelerator: AcceleratorResult, layers: readonly LayerResult[]): Markup {
  if (accelerator.kind === "asic") {
    const { architecture } = accelerator;
    const { technologyNm, clockMhz, levels } = architecture;
    const facts = [
      technologyNm !== undefined && `${technologyNm} nm`,
      clockMhz !== undefined && formatSi(clockMhz * 1e6, "Hz"),
    ].filter((fact) => fact !== false);
    const memories = levels.filter(({ storage }) => storage !== undefined).map(({ name }) => name);
    const label = `Accelerator ${architecture.name}: memories from outside to inside ${memories.join(", ")}, then ${architecture.compute.name}`;
    return figure(`Accelerator: ${architecture.name}`, facts.join(", "), memoryHierarchy(architecture, label));
  }
  const { board, clockHz, pipeline } = accelerator;
  const { chunks, bottleneckCycles, imageLatencySeconds } = pipeline;
  const pace = chunks.find(({ cycles }) => cycles === bottleneckCycles);
  const lanes = chunks.map(({ name }) => ({
    name,
    layers: layers
      .filter(({ chunk }) => chunk === name)
      .map((layer) => ({ name: layerLabel(layer.name), cycles: layer.latencyCycles })),
  }));
  const pipelineLabel = `Pipeline of ${chunks.length} sub-accelerators on ${board}: ${chunks.map(({ name, dsp, bram }) => `${name} with ${dsp} DSP slices and ${bram} block memories`).join("; ")}`;
  const lanesLabel = `Cycles of each sub-accelerator for one image: ${chunks.map(({ name, cycles }) => `${name} ${formatCount(cycles)}`).join("; ")}; ${pace?.name ?? "none"} sets the pace`;
  return markup`${figure(`Accelerator: pipeline on ${board}`, `${formatSi(clockHz, "Hz")}; all sub-accelerators work at once, each on another image`, chunkPipeline(pipeline, pipelineLabel))}
<h3>Cycles of one image</h3>
${figure("Layer by layer in each sub-accelerator", `every ${formatCount(bottleneckCycles)} cycles an image is done (${formatSignificant(pipeline.framesPerSecond)} frames per second); one image takes ${formatSi(imageLatencySeconds, "s")} through all of them`, cycleLanes(lanes, lanesLabel))}`;
}
