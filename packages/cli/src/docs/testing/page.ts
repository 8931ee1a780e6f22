// For tests only: pages of the documentation with tables that are made from the code.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The file of a page, from its path in `docs`. */
export function pageFile(path: string): string {
  return fileURLToPath(new URL(`../../../../../docs/${path}`, import.meta.url));
}

/**
 * A page as it must be: what stands between `<!-- table: NAME -->` and `<!-- end -->` is replaced by the lines of that
 * name. Held against the page with `toMatchFileSnapshot`, so that `vitest -u` brings the page up to date.
 */
export function pageWithTables(path: string, tables: Readonly<Record<string, readonly string[]>>): string {
  const text = readFileSync(pageFile(path), "utf8");
  const used = new Set<string>();
  const page = text.replaceAll(/(<!-- table: ([^\n]+?) -->\n).*?(<!-- end -->)/gs, (_, begin, name, end) => {
    const lines = tables[name];
    if (!lines) throw new Error(`docs/${path}: there is no table "${name}"`);
    used.add(name);
    return `${begin}${lines.map((line) => `${line}\n`).join("")}${end}`;
  });
  const missing = Object.keys(tables).filter((name) => !used.has(name));
  if (missing.length > 0) throw new Error(`docs/${path} has no place for: ${missing.join(", ")}`);
  return page;
}

/** A table in Markdown. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)];
}
