/** About as wide as the text is in a sans-serif of this size. */
export function textWidth(text: string, size = 11): number {
  let units = 0;
  for (const character of text) {
    if (/[iljtfrI.,:;'|!()[\]\s·]/u.test(character)) units += 0.34;
    else if (/[mwMW@%]/u.test(character)) units += 0.88;
    else if (/[A-Z]/u.test(character)) units += 0.68;
    else units += 0.57;
  }
  return units * size * 1.05;
}

/** The text, or as much of its beginning as fits with an ellipsis. */
export function fitText(text: string, width: number, size = 11): string {
  if (textWidth(text, size) <= width) return text;
  let kept = text;
  while (kept.length > 1 && textWidth(`${kept}…`, size) > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}
