import { join, type Markup, markup } from "../markup/markup.js";
import type { Scale } from "./scale.js";
import { textWidth } from "./text.js";

/** Where marks go: the rectangle inside the axes. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Horizontal grid lines with values to their left, and the axis' title above. */
export function verticalAxis(
  scale: Scale,
  area: Area,
  options: { readonly format?: ((value: number) => string) | undefined; readonly title?: string | undefined },
): Markup {
  const { left, right, top } = area;
  const lines = scale.ticks.map(
    (tick) =>
      markup`<path class="grid" d="M${left} ${scale.at(tick)}H${right}"/><text class="quiet small" x="${left - 5}" y="${scale.at(tick) + 3.5}" text-anchor="end">${(options.format ?? scale.label)(tick)}</text>`,
  );
  const title = options.title && markup`<text class="quiet small" x="0" y="${top - 8}">${options.title}</text>`;
  return markup`${lines}${title}`;
}

/** The base line with ticks, values below them, and the axis' title at the right end. */
export function horizontalAxis(
  scale: Scale,
  area: Area,
  options: {
    readonly format?: ((value: number) => string) | undefined;
    readonly title?: string | undefined;
    readonly grid?: boolean | undefined;
  },
): Markup {
  const { left, right, top, bottom } = area;
  const titled = options.title !== undefined;
  let free = Number.NEGATIVE_INFINITY;
  const ticks = scale.ticks.flatMap((tick) => {
    const x = scale.at(tick);
    const text = (options.format ?? scale.label)(tick);
    const half = textWidth(text, 10) / 2;
    // Values that would run into their neighbour are left out.
    if (x - half < free + 4) return [];
    free = x + half;
    const line = options.grid ? markup`<path class="grid" d="M${x} ${top}V${bottom}"/>` : undefined;
    return [
      markup`${line}<path class="axis" d="M${x} ${bottom}v4"/><text class="quiet small" x="${x}" y="${bottom + 15}" text-anchor="middle">${text}</text>`,
    ];
  });
  const title =
    titled &&
    markup`<text class="quiet small" x="${right}" y="${bottom + 29}" text-anchor="end">${options.title}</text>`;
  return markup`${join(ticks)}<path class="axis" d="M${left} ${bottom}H${right}"/>${title}`;
}

/** Height of a horizontal axis with its title. */
export const horizontalAxisHeight = 32;

/** Room for the widest of the values left of a vertical axis. */
export function labelRoom(scale: Scale, format: ((value: number) => string) | undefined): number {
  const widths = scale.ticks.map((tick) => textWidth((format ?? scale.label)(tick), 10));
  return Math.ceil(Math.max(0, ...widths)) + 7;
}
