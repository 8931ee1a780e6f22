import type { Command } from "commander";
import type { CommandIo } from "../terminal/command-io.js";

/** Makes a command whose results go to `io`. */
export type CreateCommand = (io: CommandIo) => Command;

/** All commands by name, in the order of the help. Each is loaded when it is asked for: all together take most of a second. */
export const commands: Readonly<Record<string, () => Promise<CreateCommand>>> = {
  search: async () => (await import("./search.js")).searchCommand,
  train: async () => (await import("./train.js")).trainCommand,
  eval: async () => (await import("./eval.js")).evalCommand,
  predict: async () => (await import("./predict.js")).predictCommand,
  quantize: async () => (await import("./quantize.js")).quantizeCommand,
  compress: async () => (await import("./compress.js")).compressCommand,
  attack: async () => (await import("./attack.js")).attackCommand,
  layers: async () => (await import("./layers.js")).layersCommand,
  map: async () => (await import("./map.js")).mapCommand,
  cost: async () => (await import("./cost.js")).costCommand,
  export: async () => (await import("./export.js")).exportCommand,
  accelerators: async () => (await import("./accelerators.js")).acceleratorsCommand,
  hwnas: async () => (await import("./hwnas.js")).hwnasCommand,
  data: async () => (await import("./data.js")).dataCommand,
  reproduce: async () => (await import("./reproduce.js")).reproduceCommand,
  run: async () => (await import("./run.js")).runCommand,
  golden: async () => (await import("./golden.js")).goldenCommand,
};
