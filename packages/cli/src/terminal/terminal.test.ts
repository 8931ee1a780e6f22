import { describe, expect, it } from "vitest";
import { cacheFolder } from "./cache-folder.js";
import { createTerminal, formatDuration } from "./progress.js";
import { formatTable } from "./table.js";

function collect(quiet: boolean) {
  let text = "";
  let time = 0;
  const terminal = createTerminal({ quiet, stream: { write: (piece) => (text += piece) }, now: () => time });
  return { terminal, text: () => text, tick: (ms: number) => (time += ms) };
}

describe("progress where nobody watches a terminal", () => {
  it("is a line now and then, with the time left, and one at the end", () => {
    const { terminal, text, tick } = collect(false);
    for (let done = 0; done <= 100; done++) {
      terminal.onProgress({ task: "train", done, total: 100, unit: "steps", figures: { loss: 1 / 3 } });
      tick(250);
    }
    const lines = text().trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(11);
    expect(lines[0]).toBe("train: 4/100 steps  24s left  loss 0.3333");
    expect(lines.at(-1)).toBe("train: 100/100 steps  loss 0.3333");
  });

  it("is a line every five minutes where a tenth of the way takes longer", () => {
    const { terminal, text, tick } = collect(false);
    for (let done = 0; done <= 90; done++) {
      terminal.onProgress({ task: "train", done, total: 12_000, unit: "steps" });
      tick(10_000);
    }
    expect(text().trimEnd().split("\n")).toEqual([
      "train: 1/12000 steps  33h19m left",
      "train: 31/12000 steps  33h14m left",
      "train: 61/12000 steps  33h09m left",
    ]);
  });

  it("says of a short task only that it is done", () => {
    const { terminal, text } = collect(false);
    for (let done = 0; done <= 10; done++) terminal.onProgress({ task: "decode", done, total: 10, unit: "images" });
    expect(text()).toBe("decode: 10/10 images\n");
  });

  it("is silent when asked to be, but for warnings", () => {
    const { terminal, text } = collect(true);
    terminal.onProgress({ task: "decode", done: 10, total: 10, unit: "images" });
    terminal.log.info("by the way");
    terminal.log.warn("look out");
    expect(text()).toBe("warning: look out\n");
  });
});

describe("text for people", () => {
  it("writes durations", () => {
    expect([500, 45_000, 200_000, 3_900_000].map(formatDuration)).toEqual(["1s", "45s", "3m20s", "1h05m"]);
  });

  it("aligns tables, numbers to the right", () => {
    expect(
      formatTable(
        ["name", "n"],
        [
          ["a", "1"],
          ["bcdef", "100"],
        ],
      ),
    ).toEqual(["name     n", "a        1", "bcdef  100"]);
  });
});

it("finds the folder for caches", () => {
  expect(cacheFolder({ DOVETAIL_CACHE: "/c", HOME: "/h" })).toBe("/c");
  expect(cacheFolder({ DOVETAIL_CACHE: "", HOME: "/h" })).toBeUndefined();
  expect(cacheFolder({ XDG_CACHE_HOME: "/x", HOME: "/h" })).toBe("/x/dovetail");
  expect(cacheFolder({ HOME: "/h" })).toBe("/h/.cache/dovetail");
  expect(cacheFolder({})).toBeUndefined();
});
