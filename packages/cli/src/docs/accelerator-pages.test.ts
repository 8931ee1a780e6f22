import {
  type Accelerator,
  fpgaBoards,
  isPipeline,
  type PipelineAccelerator,
  peakMacsPerCycle,
  unitCount,
} from "@dovetail/hardware";
import { describe, expect, it } from "vitest";
import {
  areaText,
  levelHeader,
  levelRows,
  onChipBytes,
  precisionHeader,
  precisionRows,
  publishedHeader,
  publishedRows,
} from "../commands/accelerator-tables.js";
import { readZoo } from "../commands/accelerator-target.js";
import { shippedNames } from "../files/shipped.js";
import { markdownTable, pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

const machines = await Promise.all((await shippedNames("accelerators")).map(readZoo));

describe("docs/accelerators", () => {
  it.each(machines.map((machine) => [machine.name, machine] as const))(
    "%s.md says what the machine is and was checked against",
    async (name, machine) => {
      const lines = isPipeline(machine) ? pipelinePage(machine) : machinePage(machine);
      await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(pageFile(`accelerators/${name}.md`));
    },
  );

  it("README.md lists them", async () => {
    const page = pageWithTables("accelerators/README.md", {
      zoo: markdownTable(
        ["machine", "units", "products a cycle, 8 bit", "on chip, KiB", "node, nm", "clock, MHz", "from"],
        machines.map((machine) => [`[${machine.title}](${machine.name}.md)`, ...summary(machine), machine.source]),
      ),
    });
    await expect(page).toMatchFileSnapshot(pageFile("accelerators/README.md"));
  });
});

function summary(machine: Accelerator | PipelineAccelerator): string[] {
  if (isPipeline(machine)) return [`${fpgaBoards[machine.board].dsp} DSP slices`, "", "", "", `${machine.clockMhz}`];
  return [
    `${unitCount(machine)}`,
    `${peakMacsPerCycle(machine, 8)}`,
    (onChipBytes(machine) / 1024).toFixed(0),
    `${machine.technologyNm}`,
    `${machine.clockMhz}`,
  ];
}

function machinePage(machine: Accelerator): string[] {
  const { sparsity, unit } = machine;
  const stored = Object.entries(sparsity?.stored ?? {}).map(([tensor, storage]) => `${tensor} (${storage?.format})`);
  const sparse = [
    ...((sparsity?.skips.length ?? 0) > 0 ? [`skips products with a zero in ${sparsity!.skips.join(" or ")}`] : []),
    ...((sparsity?.gates.length ?? 0) > 0 ? [`gates its units at a zero in ${sparsity!.gates.join(" or ")}`] : []),
    ...(stored.length > 0 ? [`stores compressed: ${stored.join(", ")}`] : []),
  ];
  return [
    ...heading(machine),
    `${unitCount(machine)} units (\`${unit.kind}\`), ${machine.technologyNm} nm, ${machine.clockMhz} MHz; area of memories and units ${areaText(machine)}.${sparse.length > 0 ? ` It ${sparse.join("; ")}.` : ""}`,
    "",
    "## Memories",
    ...markdownTable(levelHeader, levelRows(machine)),
    "",
    "Energies of one access of a row of one copy, outermost first.",
    "",
    "## Units by precision",
    ...markdownTable(precisionHeader, precisionRows(machine)),
    "",
    ...(unit.kind === "essentialBits"
      ? [
          "Of words of which every code is equally likely; with measured words (`LayerStatistics`) there are fewer terms.",
          "",
        ]
      : []),
    ...checks(machine.published.length > 0 ? markdownTable(publishedHeader, publishedRows(machine)) : []),
    ...notes(machine),
  ];
}

function pipelinePage(machine: PipelineAccelerator): string[] {
  const board = fpgaBoards[machine.board];
  const rows = machine.published.map(({ fact, value, source }) => [fact, `${value}`, `${board[fact]}`, source]);
  return [
    ...heading(machine),
    `${board.device}, ${machine.clockMhz} MHz; \`dovetail map\` finds the fastest pipeline of chunks within the board's ${board.dsp} DSP slices and ${board.bram} memory blocks of 18 Kb, exactly.`,
    "",
    ...checks(markdownTable(publishedHeader, rows)),
    ...notes(machine),
  ];
}

function heading({ title, name, source }: Accelerator | PipelineAccelerator): string[] {
  return [
    `# ${title}`,
    "",
    `[accelerators/${name}.yaml](../../accelerators/${name}.yaml), \`dovetail map --network model.onnx --accelerator ${name}\`. From: ${source}.`,
    "",
  ];
}

function checks(table: readonly string[]): string[] {
  return [
    "## Checked against",
    ...(table.length > 0 ? table : ["Nothing that was published."]),
    "",
    "ResNet-18's convolutions run on it in the tests: multiply-accumulates conserved, no faster than its units, every tensor through the outermost memory at least once (`packages/hardware/src/accelerators/zoo.test.ts`).",
    "",
  ];
}

function notes({ notes }: { readonly notes: readonly string[] }): string[] {
  return notes.length === 0 ? [] : ["## What differs", ...notes.map((note) => `- ${note}`)];
}
