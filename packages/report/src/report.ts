import type { ReportData } from "./data/report-data.js";
import { type Markup, markup, markupText, trusted } from "./markup/markup.js";
import { askedSection } from "./sections/asked.js";
import { comparisonSection } from "./sections/comparison.js";
import { designSection } from "./sections/design.js";
import type { Section } from "./sections/elements.js";
import { energySection } from "./sections/energy.js";
import { glanceSection } from "./sections/glance.js";
import { headline } from "./sections/headline.js";
import { imagesSection } from "./sections/images.js";
import { layersSection } from "./sections/layers.js";
import { reproductionSection } from "./sections/reproduction.js";
import { searchSection } from "./sections/search.js";
import { pageStyle, pictureStyle, themeStyle } from "./theme/theme.js";

/** What a page may load: nothing but the pictures and the style that it carries. */
const contentPolicy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const sectionsInOrder: readonly ((data: ReportData) => Section | undefined)[] = [
  glanceSection,
  askedSection,
  searchSection,
  designSection,
  layersSection,
  energySection,
  comparisonSection,
  imagesSection,
  reproductionSection,
];

/**
 * The report of a co-search as one HTML file that needs nothing else: no script, no network. The same data give the same
 * text, and what depends on the clock stands only as text of the one element of class `clock`. Everything in `data` is
 * escaped.
 *
 * @throws DovetailError `image_size` when a test image has the wrong number of bytes.
 */
export function renderReport(data: ReportData): string {
  const sections = sectionsInOrder.map((render) => render(data)).filter((section) => section !== undefined);
  return `<!doctype html>\n${markupText(page(data, sections))}`;
}

function page(data: ReportData, sections: readonly Section[]): Markup {
  const measured = data.found.accuracyFraction !== undefined;
  return markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="color-scheme" content="light dark">
<title>${data.title}: Dovetail report</title>
<style>
${trusted(`${themeStyle}\n${pictureStyle}\n${pageStyle}`)}
</style>
</head>
<body>
${headline(data)}<main>
<nav aria-label="Sections"><ul>${sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
${sections.map(renderSection)}</main>
${
  measured &&
  markup`<footer><p>Accuracy is measured at the precision that the cost is charged at, on test images that were read once, at the end.</p></footer>
`
}</body>
</html>
`;
}

function renderSection({ id, title, content }: Section): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}</section>
`;
}
