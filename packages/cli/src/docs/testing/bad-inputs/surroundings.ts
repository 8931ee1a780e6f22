// For tests only: run folders, checkpoints and disks that are not as they should be.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { eyerissLike, writeArchitecture } from "@dovetail/hardware";
import { runCommand } from "../../../testing/run-command.js";
import { writeTinyImages } from "../../../testing/tiny-images.js";
import { tinyClassifier } from "../../../testing/tiny-networks.js";
import type { BadInput, BadInputs } from "./bad-input.js";

const train =
  "train --network net.onnx --data idx:images --data-option classNames=[top,middle,bottom] --epochs 50 --batch-size 12 --checkpoint-every 1 --run-folder run";

function begin(): void {
  writeTinyImages("images");
  writeFileSync("net.onnx", tinyClassifier());
}

/** A training that was interrupted after its first steps. */
async function interrupted(): Promise<void> {
  begin();
  const { exitCode } = await runCommand(train.split(" "), {
    interruptWhen: () => existsSync("run/state/train.json"),
  });
  if (exitCode !== 130) throw new Error(`the training was not interrupted: ${exitCode}`);
}

const damaged = (what: string, damage: (tensors: string) => void): BadInput => ({
  what,
  prepare: async () => {
    await interrupted();
    damage(`run/state/${readdirSync("run/state").find((name) => name.endsWith(".safetensors"))}`);
  },
  line: "run resume run --quiet",
  exitCode: 2,
});

const map = "map --network net.onnx --arch eyeriss.yaml --evaluations 5 --quiet";

function mapped(): void {
  writeFileSync("net.onnx", tinyClassifier());
  writeFileSync("eyeriss.yaml", writeArchitecture(eyerissLike()));
}

export const badSurroundings: BadInputs = {
  title: "Run folders, checkpoints, disks",
  inputs: [
    damaged("a checkpoint cut off", (tensors) => truncateSync(tensors, 400)),
    damaged("a checkpoint with other contents", (tensors) => {
      const bytes = readFileSync(tensors);
      bytes[bytes.length - 1]! ^= 1;
      writeFileSync(tensors, bytes);
    }),
    damaged("a checkpoint whose tensors are gone", (tensors) => rmSync(tensors)),
    damaged("a checkpoint's description that is none", () => writeFileSync("run/state/train.json", "[]")),
    damaged("a checkpoint of something else", () =>
      writeFileSync("run/state/train.json", '{"format":"dovetail checkpoint","version":2}'),
    ),
    damaged("a run's record that is damaged", () => writeFileSync("run/state/run.json", "{}")),
    { what: "nothing to resume", prepare: () => mkdirSync("run"), line: "run resume run", exitCode: 2 },
    { what: "a run that is not done", prepare: interrupted, line: "run verify run", exitCode: 2 },
    { what: "no folder with runs", line: "run list nowhere", exitCode: 2 },
    {
      what: "a run folder that holds other files",
      prepare: () => {
        begin();
        mkdirSync("run");
        writeFileSync("run/thesis.tex", "");
      },
      line: train,
      exitCode: 2,
    },
    { what: "another, unfinished run in the folder", prepare: interrupted, line: `${train} --seed 1`, exitCode: 2 },
    {
      what: "another process at work in the folder",
      prepare: () => {
        begin();
        mkdirSync("run");
        writeFileSync("run/lock.1", JSON.stringify({ pid: process.pid, host: hostname() }));
      },
      line: train,
      exitCode: 1,
    },
    {
      what: "a run folder below a file",
      prepare: begin,
      line: train.replace("--run-folder run", "--run-folder net.onnx/run"),
      exitCode: 1,
    },
    { what: "an output folder below a file", prepare: mapped, line: `${map} --output net.onnx/mappings`, exitCode: 1 },
    { what: "a full disk while a run begins", prepare: begin, line: train, exitCode: 1, writing: "ENOSPC" },
    {
      what: "a full disk while a checkpoint is written",
      prepare: interrupted,
      line: "run resume run --quiet",
      exitCode: 1,
      writing: "ENOSPC",
    },
    {
      what: "a full disk while mappings are written",
      prepare: mapped,
      line: `${map} --output mappings`,
      exitCode: 1,
      writing: "ENOSPC",
    },
    {
      what: "no permission to write",
      prepare: mapped,
      line: `${map} --output mappings`,
      exitCode: 1,
      writing: "EACCES",
    },
    { what: "a read-only disk", prepare: mapped, line: `${map} --output mappings`, exitCode: 1, writing: "EROFS" },
  ],
};
