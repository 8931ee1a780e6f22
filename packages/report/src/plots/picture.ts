import { join, type Markup, markup, trusted } from "../markup/markup.js";
import { pictureStyle, themeStyle } from "../theme/theme.js";

/** A drawing in user units (pixels at its own width), with what it shows said in words. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** For people who do not see it. */
  readonly label: string;
  readonly content: Markup;
}

/** The picture inside a page that carries the style sheet. */
export function inlineSvg(picture: Picture): Markup {
  const { width, height, label, content } = picture;
  return markup`<svg class="picture" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${content}</svg>`;
}

/** The picture as a file of its own, light or dark as the viewer asks. */
export function standaloneSvg(picture: Picture): Markup {
  const { width, height, label, content } = picture;
  const margin = 12;
  const viewBox = `${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" aria-label="${label}" viewBox="${viewBox}" width="${width + 2 * margin}" height="${height + 2 * margin}">
<style>${trusted(`${themeStyle}\n${pictureStyle}`)}</style>
<rect x="${-margin}" y="${-margin}" width="100%" height="100%" style="fill:var(--paper)"/>
${content}
</svg>
`;
}

/** Pictures one below the other, with `gap` between them. */
export function stack(pictures: readonly Picture[], label: string, gap = 18): Picture {
  let height = -gap;
  const placed = pictures.map((picture) => {
    const y = height + gap;
    height = y + picture.height;
    return markup`<g transform="translate(0 ${y})">${picture.content}</g>`;
  });
  return { width: Math.max(...pictures.map(({ width }) => width)), height, label, content: join(placed) };
}
