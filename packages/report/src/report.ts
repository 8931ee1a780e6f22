import type { ReportData } from "./data/report-data.js";
import { markup } from "./markup/markup.js";
import { page } from "./page.js";
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
  const measured = data.found.accuracyFraction !== undefined;
  const foot =
    measured &&
    markup`<footer><p>Accuracy is measured at the precision that the cost is charged at, on test images that were read once, at the end.</p></footer>
`;
  return page({ title: data.title, head: headline(data), sections, foot: foot || undefined });
}
