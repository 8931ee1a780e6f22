import type { Claim } from "../../reproduction/card.js";
import { claimOf, rounded } from "../../reproduction/claims.js";
import { type Figure, networksAhead, type Results, ratios, variantRatios } from "./result.js";
import { variants } from "./variants.js";

const comparison = "ours: published is a comparison over these networks (systems.md §1), not that all of them gain";
const largestPublished = "systems.md §1: published is “up to”; that our largest ratio must reach it is our limit";

/** Published are “up to 6.7×” and “up to 19.2×”; the limits made of them are ours. Set before the first run. */
export function studyClaims(results: Results): readonly Claim[] {
  const { networks, seeds } = results;
  const ahead = (figure: Figure) => seeds.map((seed) => networksAhead(results, figure, seed));
  const largest = (figure: Figure) => seeds.map((seed) => Math.max(...ratios(results, figure, seed)));
  const of = networks.length;
  return [
    claimOf({
      text: `SmartExchange takes the least energy of five accelerators, of ${of} networks, at least`,
      source: comparison,
      claimed: of,
      unit: "networks",
      perSeed: ahead("energyPj"),
      direction: "atLeast",
      tried: tried(results, "energyPj", countAhead(results)),
    }),
    claimOf({
      text: `SmartExchange is the fastest of five accelerators, of ${of} networks, at least`,
      source: comparison,
      claimed: of,
      unit: "networks",
      perSeed: ahead("latencyCycles"),
      direction: "atLeast",
      tried: tried(results, "latencyCycles", countAhead(results)),
    }),
    claimOf({
      text: "Largest ratio of a baseline's energy to SmartExchange's, at least",
      source: largestPublished,
      claimed: 6.7,
      unit: "×",
      perSeed: largest("energyPj"),
      direction: "atLeast",
      tried: tried(results, "energyPj", (values) => `${rounded(Math.max(...values), 3)} ×`),
    }),
    claimOf({
      text: "Largest ratio of a baseline's time to SmartExchange's, at least",
      source: largestPublished,
      claimed: 19.2,
      unit: "×",
      perSeed: largest("latencyCycles"),
      direction: "atLeast",
      tried: tried(results, "latencyCycles", (values) => `${rounded(Math.max(...values), 3)} ×`),
    }),
  ];
}

/** What other assumptions about the machines give, with the first seed. */
function tried(results: Results, figure: Figure, say: (values: readonly number[]) => string): string[] {
  const which = results.seeds.length > 1 ? "first seed, " : "";
  return results.variants.flatMap((name) => {
    const { kind, title } = variants[name];
    return kind === "assumption" ? [`${which}${title}: ${say(variantRatios(results, name, figure))}`] : [];
  });
}

/** Ratios come network by network, a baseline after the other. */
function countAhead({ networks }: Results): (values: readonly number[]) => string {
  return (values) => {
    const each = values.length / networks.length;
    const count = networks.filter((_, index) =>
      values.slice(index * each, (index + 1) * each).every((value) => value >= 1),
    ).length;
    return `${count} of ${networks.length} networks`;
  };
}
