import type { Card, CardTable, Claim, NotRun } from "@dovetail/systems";

/** A reproduction card as a page in Markdown: everything on it comes from the card. */
export function renderCard(card: Card): string {
  const { held, total } = heldClaims(card);
  return [
    `# ${card.title}: reproduction card`,
    `Made by \`${card.command}\`. ${card.date}, commit ${card.commit}, ${card.machine}; scale ${card.scale}, ${seedsText(card.seeds)}.`,
    `${held} of ${total} claims held at this scale.`,
    "## Setup",
    ...card.setup,
    "## Claims",
    claimsTable(card.claims),
    ...triedSection(card.claims),
    ...card.tables.flatMap(tableSection),
    "## What was not run",
    card.notRun.length === 0 ? "Nothing was left out." : notRunTable(card.notRun),
  ]
    .map((part) => `${part}\n`)
    .join("\n");
}

export function heldClaims({ claims }: Pick<Card, "claims">): { readonly held: number; readonly total: number } {
  return { held: claims.filter(({ held }) => held).length, total: claims.length };
}

function seedsText(seeds: readonly number[]): string {
  return `${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}`;
}

function claimsTable(claims: readonly Claim[]): string {
  return markdownTable(
    ["claim", "source", "claimed", "ours", "deviation", "each seed", "held"],
    claims.map(({ text, source, claimed, ours, spread, perSeed, unit, held }) => [
      text,
      source,
      `${claimed} ${unit}`,
      `${ours} ${unit}`,
      spread === null ? "one seed" : `${spread}`,
      perSeed?.join(", ") ?? "–",
      held ? "yes" : "**no**",
    ]),
  );
}

function triedSection(claims: readonly Claim[]): string[] {
  const failed = claims.filter(({ held }) => !held);
  if (failed.length === 0) return [];
  return [
    "### What did not hold, and what was tried",
    failed.map(({ text, tried }) => `- ${text}: ${triedText(tried, failed)}.`).join("\n"),
  ];
}

/** The same list is written once, at the first claim that has it. */
function triedText(tried: readonly string[], failed: readonly Claim[]): string {
  if (tried.length === 0) return "nothing was tried yet";
  const first = failed.find((claim) => claim.tried.join() === tried.join())!;
  return first.tried === tried ? tried.join("; ") : `as for “${first.text}”`;
}

function tableSection({ title, columns, rows, note }: CardTable): string[] {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? "–" : `${cell}`)));
  return [`## ${title}`, markdownTable(columns, cells), ...(note === undefined ? [] : [note])];
}

function notRunTable(notRun: readonly NotRun[]): string {
  return markdownTable(
    ["claim", "source", "claimed", "why not"],
    notRun.map(({ text, source, claimed, unit, reason }) => [text, source, `${claimed} ${unit}`, reason]),
  );
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

function escaped(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("\n", " ");
}
