import type { Block } from "../data/blocks.js";
import { layerParts } from "../data/layer-name.js";
import { describeKernel, describeOutput, type LayerShape, layerShape } from "../data/layer-shape.js";
import { formatShort } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import type { Picture } from "../plots/picture.js";
import { fitText } from "../plots/text.js";

const width = 360;
const boxHeight = 38;
const rowHeight = boxHeight + 14;
const boxes = { left: 72, width: 212 };
const macs = { left: 298, width: 62 };
const head = 20;

/**
 * The network from image to classes, a box a block: as wide as its output is high (in octaves), with its operator and
 * layers; left its output, right its share of the multiply-accumulates.
 */
export function networkDrawing(blocks: readonly Block[], label: string): Picture {
  const sums = blocks.map(({ layers }) => layers.reduce((sum, layer) => sum + layer.macs, 0));
  const most = Math.max(1, ...sums);
  const sizes = blocks.map((block) => outputSize(block));
  const largest = Math.max(1, ...sizes.map((size) => size ?? 1));
  let size = largest;
  const rows = blocks.map((block, index) => {
    size = sizes[index] ?? size;
    const y = head + index * rowHeight;
    const link = index > 0 && arrow(boxes.left + boxes.width / 2, y - 14, 14);
    return markup`${link}${blockRow(block, y, boxWidth(size, largest))}${macBar(sums[index]!, most, y)}`;
  });
  const heads = markup`<text class="quiet small" x="0" y="9">output</text><text class="quiet small" x="${boxes.left + boxes.width / 2}" y="9" text-anchor="middle">block</text><text class="quiet small" x="${macs.left}" y="9">MACs</text>`;
  return { width, height: head + blocks.length * rowHeight - 12, label, content: markup`${heads}${rows}` };
}

function blockRow(block: Block, y: number, wide: number): Markup {
  const { name, operator, layers } = block;
  const x = boxes.left + (boxes.width - wide) / 2;
  const last = layers[layers.length - 1];
  const output = last === undefined ? "as before" : describeOutput(layerShape(last.problem));
  const title = operator === undefined ? name : `${name}  ${operator}`;
  const kernels = describeLayers(layers);
  const box = layers.length === 0 ? "box dashed" : operator === undefined ? "box" : "washed";
  return markup`<g><title>${title}: ${kernels || "nothing"}</title><text class="quiet small" x="0" y="${y + boxHeight / 2 + 4}">${fitText(output, boxes.left - 4, 10)}</text><rect class="${box}" x="${x}" y="${y}" width="${wide}" height="${boxHeight}" rx="6"/><text class="strong" x="${x + wide / 2}" y="${y + 16}" text-anchor="middle">${fitText(title, wide - 12)}</text><text class="quiet small" x="${x + wide / 2}" y="${y + 30}" text-anchor="middle">${fitText(kernels || "input passed on", wide - 12, 10)}</text></g>`;
}

/** `1×1 → 3×3 depthwise → 1×1`, and behind a plus what lies beside them on the shortcut. */
function describeLayers(layers: Block["layers"]): string {
  const beside = layers.filter(({ name }) => layerParts(name).includes("shortcut"));
  const path = layers.filter((layer) => !beside.includes(layer));
  const kernels = (some: Block["layers"]): string[] => some.map(({ problem }) => kernelMark(layerShape(problem)));
  return [kernels(path).join(" → "), ...kernels(beside)].filter((text) => text !== "").join(" + ");
}

/** As in the drawings of residual networks: `3×3/2` is a kernel with stride 2. */
function kernelMark(shape: LayerShape): string {
  return describeKernel({ ...shape, stride: 1 }).replace(/^(\S+)/, shape.stride > 1 ? `$1/${shape.stride}` : "$1");
}

function macBar(value: number, most: number, y: number): Markup {
  const middle = y + boxHeight / 2;
  return markup`<rect class="fill baseline" x="${macs.left}" y="${middle + 1}" width="${(value / most) * macs.width}" height="7" rx="2"/><text class="small" x="${macs.left}" y="${middle - 3}">${formatShort(value)}</text>`;
}

/** Height of the output; undefined for blocks without layers, 1 for linear layers. */
function outputSize({ layers }: Block): number | undefined {
  const last = layers[layers.length - 1];
  return last === undefined ? undefined : (layerShape(last.problem).output[1] ?? 1);
}

/** Each halving of the resolution takes a step off the width, never below what the text needs. */
function boxWidth(size: number, largest: number): number {
  const octaves = Math.log2(largest / size);
  return Math.max(150, boxes.width - 19 * octaves);
}

/** From above into a box. */
export function arrow(x: number, y: number, length: number): Markup {
  return markup`<path class="link" d="M${x} ${y}v${length - 5}"/><path class="arrow" d="M${x - 4} ${y + length - 6}h8l-4 6z"/>`;
}
