import { type Insertion, type Markup, markup } from "../markup/markup.js";
import { inlineSvg, type Picture } from "../plots/picture.js";

/** A part of the report: `id` is its anchor. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Markup;
}

/** A picture under its heading, with a sentence on how to read it. */
export function figure(title: string, explanation: string, picture: Picture): Markup {
  const text = explanation !== "" && markup` <span class="quiet">${explanation}</span>`;
  return markup`<figure><figcaption><b>${title}</b>${text}</figcaption>${inlineSvg(picture)}</figure>
`;
}

export interface Column {
  readonly title: string;
  /** Figures stand at the right of their column. */
  readonly number?: boolean | undefined;
}

/** A table that scrolls sideways where it is too wide. The first cell of a row is its heading. */
export function table(options: {
  readonly caption: string;
  readonly className?: string | undefined;
  readonly columns: readonly Column[];
  readonly rows: readonly { readonly cells: readonly Insertion[]; readonly found?: boolean | undefined }[];
}): Markup {
  const { caption, className = "", columns, rows } = options;
  const classOf = (index: number): string => (columns[index]!.number ? "number" : "");
  const head = columns.map(({ title }, index) => markup`<th scope="col" class="${classOf(index)}">${title}</th>`);
  const body = rows.map(({ cells, found }) => {
    const [first, ...rest] = cells;
    const row = rest.map((cell, index) => markup`<td class="${classOf(index + 1)}">${cell}</td>`);
    return markup`<tr class="${found ? "found-row" : ""}"><th scope="row">${first}</th>${row}</tr>
`;
  });
  return markup`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table class="${className}"><caption><span>${caption}</span></caption><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table></div>
`;
}

/** Names and values, one below the other. */
export function facts(entries: readonly (readonly [name: string, value: Insertion])[]): Markup {
  return markup`<dl class="facts">${entries.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
`;
}

/** Names of series with their colours. */
export function seriesList(items: readonly { readonly name: string; readonly series: string }[]): Markup {
  return markup`<ul class="legend">${items.map(({ name, series }) => markup`<li class="${series}">${name}</li>`)}</ul>
`;
}

/** Whether a bound holds, in words and not in colour alone. */
export function verdict(met: boolean): Markup {
  return met ? markup`<span class="good">✓ met</span>` : markup`<span class="bad">✗ not met</span>`;
}
