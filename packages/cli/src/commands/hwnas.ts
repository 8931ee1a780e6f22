import type { Command } from "commander";
import type { CommandIo } from "../terminal/command-io.js";
import { defineGroup } from "./define.js";
import { correlateCommand } from "./hwnas/correlate.js";
import { frontCommand } from "./hwnas/front.js";
import { importCommand } from "./hwnas/import.js";
import { measureCommand } from "./hwnas/measure.js";
import { queryCommand } from "./hwnas/query.js";
import { searchCommand } from "./hwnas/search.js";
import { verifyCommand } from "./hwnas/verify.js";

/** `dovetail hwnas`: HW-NAS-Bench's costs and NAS-Bench-201's accuracies by query, and what can be learnt from them. */
export function hwnasCommand(io: CommandIo): Command {
  return defineGroup(
    "hwnas",
    {
      summary: "HW-NAS-Bench: what every network of two search spaces costs on six devices and on this machine",
      description:
        "Costs come with the program: NAS-Bench-201 on CIFAR-10 (latency on four devices of all 15,625 networks, on two " +
        "more of 1,999) with trained accuracies on three data sets, and FBNet's operator tables. `hwnas import` adds the " +
        "rest from the authors' pickle. Known faults of the published data are shown where they are met.",
      examples: [
        ["dovetail hwnas query 6111", "a network's accuracy and costs"],
        ["dovetail hwnas front --metric pixel3_latency", "what no other network beats in accuracy and latency"],
        ["dovetail hwnas search --metric pixel3_latency --limit 10", "a search, beside the true optimum"],
        ["dovetail hwnas correlate", "devices against each other and against our cost models"],
        ["dovetail hwnas measure -o host.json", "this machine as one more device"],
        ["dovetail hwnas verify", "the nine checks of the tables"],
      ],
    },
    [
      queryCommand(io),
      frontCommand(io),
      searchCommand(io),
      correlateCommand(io),
      measureCommand(io),
      importCommand(io),
      verifyCommand(io),
    ],
  );
}
