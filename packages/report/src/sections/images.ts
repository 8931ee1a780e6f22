import type { ReportData, TestImage } from "../data/report-data.js";
import { formatPercent } from "../format/numbers.js";
import { bitmapDataUri } from "../images/bitmap.js";
import { type Markup, markup } from "../markup/markup.js";
import type { Section } from "./elements.js";

/** Some test images with what the network says; undefined when there are none. */
export function imagesSection({ testImages }: ReportData): Section | undefined {
  if (testImages.length === 0) return undefined;
  const right = testImages.filter(({ label, predicted }) => label === predicted).length;
  const content = markup`<p class="quiet">The network’s prediction with its probability; ${String(right)} of these ${String(testImages.length)} are right.</p>
<div class="images">${testImages.map(imageFigure)}</div>
`;
  return { id: "images", title: "Test images", content };
}

function imageFigure(image: TestImage): Markup {
  const { label, predicted, probability, width, height } = image;
  const right = label === predicted;
  const alternative = `Test image of class ${label}, predicted ${predicted}`;
  const mark = right
    ? markup`<span class="good">✓ ${predicted}</span>`
    : markup`<span class="bad">✗ ${predicted}</span>`;
  const truth = !right && markup`<br>is: ${label}`;
  return markup`<figure><img src="${bitmapDataUri(image)}" width="${String(width)}" height="${String(height)}" alt="${alternative}"><figcaption>${mark} <span class="quiet">${formatPercent(probability, 0)}</span>${truth}</figcaption></figure>
`;
}
