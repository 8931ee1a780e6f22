/** Columns of equal width, two spaces apart; columns whose cells are all numbers are aligned to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = header.length > 0 ? [header, ...rows] : rows;
  const count = Math.max(0, ...all.map((row) => row.length));
  const columns = Array.from({ length: count }, (_, column) => ({
    width: Math.max(...all.map((row) => (row[column] ?? "").length)),
    isNumeric: rows.length > 0 && rows.every((row) => isNumeric(row[column] ?? "")),
  }));
  return all.map((row) =>
    columns
      .map(({ width, isNumeric }, column) =>
        isNumeric ? (row[column] ?? "").padStart(width) : (row[column] ?? "").padEnd(width),
      )
      .join("  ")
      .trimEnd(),
  );
}

function isNumeric(cell: string): boolean {
  return /^[-+]?[\d.,]+(e[-+]?\d+)?( ?[%a-zµ²]{1,5})?$|^-?$/i.test(cell);
}
