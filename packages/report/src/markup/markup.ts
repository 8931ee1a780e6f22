// Text that becomes HTML or SVG. What is put into a template is escaped unless it was made by a template itself, so
// that nothing from outside (names, labels, recipes) can become markup.

const verbatim: unique symbol = Symbol("verbatim");

/** A piece of HTML or SVG. Only this file can make one: the key is a symbol that no JSON or YAML file can name. */
export interface Markup {
  readonly [verbatim]: string;
}

/** Numbers are coordinates and are written with at most two decimals; texts with figures in them come formatted. */
export type Insertion = Markup | readonly Markup[] | string | number | undefined | false;

/** Template of HTML or SVG; insertions are escaped, for text and for quoted attributes alike. */
export function markup(strings: TemplateStringsArray, ...insertions: readonly Insertion[]): Markup {
  let text = strings[0]!;
  insertions.forEach((insertion, index) => {
    text += textOf(insertion) + strings[index + 1]!;
  });
  return { [verbatim]: text };
}

/** The characters of a piece of markup. */
export function markupText(piece: Markup): string {
  return piece[verbatim];
}

/** A style sheet or other text of this package's own, as it stands. */
export function trusted(text: string): Markup {
  return { [verbatim]: text };
}

/** Pieces with nothing between them. */
export function join(pieces: readonly Markup[]): Markup {
  return trusted(pieces.map(markupText).join(""));
}

/** A coordinate with at most two decimals: short, and the same on every machine. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100 || 0);
}

function textOf(insertion: Insertion): string {
  if (insertion === undefined || insertion === false) return "";
  if (typeof insertion === "number") return coordinate(insertion);
  if (typeof insertion === "string") return escapeText(insertion);
  if (Array.isArray(insertion)) return insertion.map(textOf).join("");
  return (insertion as Markup)[verbatim];
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that neither HTML nor XML may hold become U+FFFD. */
function escapeText(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that XML forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replace(/[&<>"']/g, (character) => entities[character]!)
  );
}
