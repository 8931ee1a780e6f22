// Options that several commands have.

import { costModels } from "@dovetail/hardware";
import { InvalidArgumentError, Option } from "commander";
import { wholeNumber } from "./define.js";

export function providerOption(): Option {
  return new Option("--provider <name>", "where graphs are executed").choices(["cpu", "webgpu", "cuda"]).default("cpu");
}

export function threadsOption(): Option {
  return new Option(
    "--threads <n>",
    "threads inside an operator; results have the same bits with any number",
  ).argParser(wholeNumber(1));
}

export function parts(): Option {
  return new Option("--part <name>", "part of the data set").choices(["test", "validation", "train"]).default("test");
}

/** `0,1`: what the model takes for the pixel values 0 and 255. */
export function pixelRange(): Option {
  return new Option("--pixel-range <low,high>", "what the model takes for the pixel values 0 and 255")
    .argParser((text): [number, number] => {
      const ends = text.split(",").map(Number);
      if (ends.length === 2 && ends.every(Number.isFinite) && ends[0]! < ends[1]!) return [ends[0]!, ends[1]!];
      throw new InvalidArgumentError("Expected two rising numbers, such as 0,1.");
    })
    .default([0, 255], "0,255");
}

export function seedOption(): Option {
  return new Option("--seed <n>", "same seed, same bits").argParser(wholeNumber(0));
}

export function noFlipOption(): Option {
  return new Option("--no-flip", "do not mirror images at random");
}

export function cropPaddingOption(): Option {
  return new Option("--crop-padding <n>", "shift images by up to this many pixels")
    .argParser(wholeNumber(0))
    .default(4);
}

export function runFolderOption(): Option {
  return new Option("--run-folder <folder>", "where the run lies; default: a new folder in runs/");
}

export function modelOption(): Option {
  return new Option("--model <name>", "the cost model").choices(costModels).default("exact");
}
