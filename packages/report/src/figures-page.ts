import { type Markup, markup } from "./markup/markup.js";
import { page } from "./page.js";
import { type CloudOptions, cloud } from "./plots/cloud.js";
import { type LinePlotOptions, linePlot } from "./plots/line-plot.js";
import { type MatrixOptions, matrix } from "./plots/matrix.js";
import type { Picture } from "./plots/picture.js";
import { figure, type Section, table } from "./sections/elements.js";

/** A plot by its data. */
export type PagePlot = { readonly title: string; readonly explanation: string } & (
  | ({ readonly kind: "cloud" } & CloudOptions)
  | ({ readonly kind: "lines" } & LinePlotOptions)
  | ({ readonly kind: "matrix" } & MatrixOptions)
);

export interface PageTable {
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly number?: boolean | undefined }[];
  readonly rows: readonly (readonly string[])[];
}

export interface PageSection {
  readonly title: string;
  readonly paragraphs?: readonly string[] | undefined;
  readonly plots?: readonly PagePlot[] | undefined;
  readonly tables?: readonly PageTable[] | undefined;
}

/** What a page of figures shows. */
export interface FiguresPage {
  readonly title: string;
  /** Above the title. */
  readonly kicker: string;
  readonly introduction: readonly string[];
  readonly sections: readonly PageSection[];
}

/**
 * Plots and tables as one HTML file that needs nothing else: no script, no network. The same data give the same text;
 * everything in them is escaped.
 */
export function renderFiguresPage({ title, kicker, introduction, sections }: FiguresPage): string {
  const head = markup`<header><p class="kicker">${kicker}</p><h1>${title}</h1>${paragraphs(introduction)}</header>
`;
  return page({ title, head, sections: sections.map(sectionOf) });
}

function sectionOf(section: PageSection, index: number): Section {
  const { plots = [], tables = [] } = section;
  const draw = (plot: PagePlot): Markup => figure(plot.title, plot.explanation, pictureOf(plot));
  const wide = plots.filter(({ kind }) => kind !== "lines").map(draw);
  const small = plots.filter(({ kind }) => kind === "lines").map(draw);
  const beside =
    small.length > 0 &&
    markup`<div class="plots">${small}</div>
`;
  const content = markup`${paragraphs(section.paragraphs ?? [])}${beside}${wide}${tables.map(tableOf)}`;
  return { id: `part${index + 1}`, title: section.title, content };
}

function paragraphs(texts: readonly string[]): Markup[] {
  return texts.map(
    (text) => markup`<p>${text}</p>
`,
  );
}

function pictureOf(plot: PagePlot): Picture {
  if (plot.kind === "cloud") return cloud(plot);
  return plot.kind === "lines" ? linePlot(plot) : matrix(plot);
}

function tableOf({ caption, columns, rows }: PageTable): Markup {
  return table({ caption, columns, rows: rows.map((cells) => ({ cells })) });
}
