import {
  type Accelerator,
  fpgaBoards,
  isPipeline,
  type PipelineAccelerator,
  peakMacsPerCycle,
  unitCount,
} from "@dovetail/hardware";
import type { Command } from "commander";
import { shippedNames } from "../files/shipped.js";
import { type CommandIo, type CommonOptions, printResult } from "../terminal/command-io.js";
import { formatTable } from "../terminal/table.js";
import {
  areaText,
  levelHeader,
  levelRows,
  onChipBytes,
  precisionHeader,
  precisionRows,
  publishedHeader,
  publishedRows,
} from "./accelerator-tables.js";
import { readZoo } from "./accelerator-target.js";
import { defineCommand } from "./define.js";

/** `dovetail accelerators`: the zoo, or one of its machines. */
export function acceleratorsCommand(io: CommandIo): Command {
  return defineCommand("accelerators", {
    summary: "the published accelerators that come along, or what one is made of",
    description:
      "Each is a YAML document in `accelerators/` that can be copied and changed, with a page in `docs/accelerators`.",
    examples: [
      ["dovetail accelerators", "a line each"],
      ["dovetail accelerators bit-fusion", "memories, units by precision, published figures beside ours"],
      ["dovetail map --network model.onnx --accelerator bit-fusion", "a network on it"],
    ],
  })
    .argument("[name]", "one of them, or a file")
    .action(async (name: string | undefined, options: CommonOptions) => {
      if (name === undefined) await listZoo(io, options);
      else showMachine(io, options, await readZoo(name));
    });
}

async function listZoo(io: CommandIo, options: CommonOptions): Promise<void> {
  const machines = await Promise.all((await shippedNames("accelerators")).map(readZoo));
  const entries = machines.map((machine) =>
    isPipeline(machine)
      ? { name: machine.name, title: machine.title, units: fpgaBoards[machine.board].dsp, clockMhz: machine.clockMhz }
      : {
          name: machine.name,
          title: machine.title,
          units: unitCount(machine),
          // Units that the tables price take up to 8 bit; the pace is known in any case.
          peakMacsPerCycle: peakMacsPerCycle(machine, 8),
          onChipBytes: onChipBytes(machine),
          technologyNm: machine.technologyNm,
          clockMhz: machine.clockMhz,
        },
  );
  printResult(io, options, entries, () =>
    formatTable(
      ["name", "machine", "units", "MACs a cycle, 8 bit", "on chip, KiB", "nm", "MHz"],
      entries.map((entry) => [
        entry.name,
        entry.title,
        `${entry.units}`,
        entry.peakMacsPerCycle === undefined ? "" : `${entry.peakMacsPerCycle}`,
        entry.onChipBytes === undefined ? "" : (entry.onChipBytes / 1024).toFixed(0),
        entry.technologyNm === undefined ? "" : `${entry.technologyNm}`,
        `${entry.clockMhz}`,
      ]),
    ),
  );
}

function showMachine(io: CommandIo, options: CommonOptions, machine: Accelerator | PipelineAccelerator): void {
  printResult(io, options, machine, () => (isPipeline(machine) ? describePipeline(machine) : describe(machine)));
}

function describe(machine: Accelerator): string[] {
  return [
    `${machine.title} (${machine.technologyNm} nm, ${machine.clockMhz} MHz): ${machine.source}`,
    "",
    ...formatTable(levelHeader, levelRows(machine)),
    "",
    `${unitCount(machine)} units (${machine.unit.kind}), area ${areaText(machine)}`,
    ...formatTable(precisionHeader, precisionRows(machine)),
    ...(machine.published.length > 0 ? ["", ...formatTable(publishedHeader, publishedRows(machine))] : []),
    "",
    ...machine.notes.map((note) => `- ${note}`),
  ];
}

function describePipeline(machine: PipelineAccelerator): string[] {
  const board = fpgaBoards[machine.board];
  return [
    `${machine.title} (${board.device}, ${machine.clockMhz} MHz): ${machine.source}`,
    `${board.dsp} DSP slices, ${board.bram} memory blocks of 18 Kb`,
    ...machine.notes.map((note) => `- ${note}`),
  ];
}
