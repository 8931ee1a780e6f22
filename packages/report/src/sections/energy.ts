import { type Architecture, architectureAreaUm2, instanceCounts } from "@dovetail/hardware";
import { type EnergyByLevel, energyByLevel, energyOnLevels } from "../data/energy-levels.js";
import type { ReportCandidate, ReportData } from "../data/report-data.js";
import { formatPercent, formatSi, formatSignificant, withUnit } from "../format/numbers.js";
import { type Markup, markup } from "../markup/markup.js";
import { type StackedBar, stackedBars } from "../plots/stacked-bars.js";
import { figure, type Section } from "./elements.js";
import { energyCategories } from "./layers.js";

/** Where energy goes and what area is made of; undefined for targets without these models. */
export function energySection(data: ReportData): Section | undefined {
  const candidates = [data.found, ...data.baselines];
  const levels = [...new Set(candidates.flatMap(({ layers }) => energyByLevel(layers)?.levels ?? []))];
  const panels = [energyPanel(candidates, levels), areaPanel(candidates, levels)].filter(
    (panel) => panel !== undefined,
  );
  if (panels.length === 0) return undefined;
  return {
    id: "energy",
    title: "Energy and area",
    content: markup`<div class="plots">${panels}</div>
`,
  };
}

function energyPanel(candidates: readonly ReportCandidate[], levels: readonly string[]): Markup | undefined {
  const energies = candidates.flatMap(({ name, layers }) => {
    const energy = energyByLevel(layers);
    return energy === undefined ? [] : [{ name, energy }];
  });
  if (energies.length === 0) return undefined;
  const format = (value: number): string => formatSi(value * 1e-12, "J");
  const rows = energies.map(({ name, energy }, index) => energyRow(name, energy, levels, index === 0));
  const label = `Energy of one image by level: ${energies.map(({ name, energy }) => `${name}: ${shares(energy)}`).join("; ")}`;
  const picture = stackedBars(rows, { label, categories: energyCategories(levels), format });
  return figure(
    "Energy of one image by level",
    "memories from outside to inside, then arithmetic and leakage",
    picture,
  );
}

function energyRow(name: string, energy: EnergyByLevel, levels: readonly string[], strong: boolean): StackedBar {
  return { name, text: formatSi(energy.totalPj * 1e-12, "J"), values: energyOnLevels(energy, levels), strong };
}

function shares({ levels, energyPj, totalPj }: EnergyByLevel): string {
  return levels.map((level, index) => `${level} ${formatPercent(energyPj[index]! / totalPj, 0)}`).join(", ");
}

function areaPanel(candidates: readonly ReportCandidate[], levels: readonly string[]): Markup | undefined {
  const architectures = candidates.flatMap(({ name, accelerator }) =>
    accelerator.kind === "asic" ? [{ name, architecture: accelerator.architecture }] : [],
  );
  if (architectures.every(({ architecture }) => architectureAreaUm2(architecture) === 0)) return undefined;
  const areas = architectures.map(({ architecture }) => areaByPart(architecture));
  // Levels have the colours that they have in the energy's picture.
  const parts = energyCategories([...new Set([...levels, ...areas.flatMap(Object.keys)])]).filter(({ name }) =>
    areas.some((area) => (area[name] ?? 0) > 0),
  );
  const format = (value: number): string => withUnit(formatSignificant(value * 1e-6), "mm²");
  const rows = architectures.map(({ name, architecture }, index) => {
    const text = format(architectureAreaUm2(architecture));
    return { name, text, values: parts.map((part) => areas[index]![part.name] ?? 0), strong: index === 0 };
  });
  const label = `Area by part: ${rows.map(({ name, text }) => `${name} ${text}`).join("; ")}`;
  const picture = stackedBars(rows, { label, categories: parts, format });
  return figure("Area by part", "what the model counts: memories and arithmetic", picture);
}

/** Area of all instances of each memory and of the compute units. Parts outside the chip have none. */
function areaByPart({ levels, compute, ...rest }: Architecture): Record<string, number> {
  const counts = instanceCounts({ levels, compute, ...rest });
  const memories = levels.flatMap(({ name, storage }, index) =>
    storage === undefined ? [] : [[name, counts[index]! * (storage.areaUm2 ?? 0)] as const],
  );
  return Object.fromEntries([...memories, [compute.name, counts[levels.length]! * (compute.areaUm2 ?? 0)]]);
}
