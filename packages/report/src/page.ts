import { type Markup, markup, markupText, trusted } from "./markup/markup.js";
import type { Section } from "./sections/elements.js";
import { pageStyle, pictureStyle, themeStyle } from "./theme/theme.js";

/** What a page may load: nothing but the pictures and the style that it carries. */
const contentPolicy =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** A whole HTML file: head, navigation, sections, foot. */
export function page(options: {
  readonly title: string;
  readonly head: Markup;
  readonly sections: readonly Section[];
  readonly foot?: Markup | undefined;
}): string {
  const { title, head, sections, foot } = options;
  const html = markup`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<meta name="color-scheme" content="light dark">
<title>${title}: Dovetail report</title>
<style>
${trusted(`${themeStyle}\n${pictureStyle}\n${pageStyle}`)}
</style>
</head>
<body>
${head}<main>
<nav aria-label="Sections"><ul>${sections.map((section) => markup`<li><a href="#${section.id}">${section.title}</a></li>`)}</ul></nav>
${sections.map(renderSection)}</main>
${foot}</body>
</html>
`;
  return `<!doctype html>\n${markupText(html)}`;
}

function renderSection({ id, title, content }: Section): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}</section>
`;
}
