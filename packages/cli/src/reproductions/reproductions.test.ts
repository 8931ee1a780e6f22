import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgressEvent } from "@dovetail/core";
import { tensor, tensorNumbers } from "@dovetail/graph";
import type { Runtime } from "@dovetail/runtime";
import { type Card, cardSchema, type Piece, reproductions } from "@dovetail/systems";
import { expect, it, vi } from "vitest";
import { runCommand } from "../testing/run-command.js";
import { useTemporaryFolder } from "../testing/temporary-folder.js";
import { openReproduction } from "./folder.js";
import { renderCard } from "./render.js";
import { runPieces } from "./run-pieces.js";

useTemporaryFolder();

const open = (name: string, resume = false) => openReproduction({ path: name, system: "test", scale: "quick", resume });

/** Pieces that note when they run; the second can be interrupted half-way. */
function pieces(ran: string[], interrupt?: AbortController): Piece[] {
  return [
    {
      name: "first",
      work: 3,
      run: async ({ keep, watch }) => {
        ran.push("first");
        watch.onProgress?.({ task: "train", done: 1, total: 2, unit: "steps" });
        await keep("weights", { tensors: new Map([["w", tensor("float32", [2], [1, 2])]]), state: null });
        return { value: 1.5, absent: undefined };
      },
    },
    {
      name: "second",
      work: 1,
      run: async ({ result, kept, checkpoint }) => {
        const before = await checkpoint.load();
        ran.push(before ? `second from ${JSON.stringify(before.state)}` : "second");
        if (interrupt) {
          await checkpoint.save({ tensors: new Map(), state: 7 });
          interrupt.abort(new Error("interrupted"));
          throw interrupt.signal.reason;
        }
        const { tensors } = await kept("weights");
        return { ...(result("first") as object), w: [...tensorNumbers(tensors.get("w")!)] };
      },
    },
  ];
}

async function run(name: string, list: Piece[], { resume = false, signal = new AbortController().signal } = {}) {
  const opened = await open(name, resume);
  const events: ProgressEvent[] = [];
  const watch = { onProgress: (event: ProgressEvent) => events.push(event), log: { info() {}, warn() {} }, signal };
  const common = {
    system: "test",
    runtime: {} as Runtime,
    loadDataset: () => Promise.reject(new Error("none")),
    commit: "c1",
    millisecondsBetweenLooks: 20,
  };
  return { results: await runPieces({ ...common, pieces: list, folder: opened, watch }), events };
}

it("goes on with the piece that was interrupted, from its checkpoint, and runs no piece twice", async () => {
  const interrupt = new AbortController();
  const ran: string[] = [];
  await expect(run("broken", pieces(ran, interrupt), { signal: interrupt.signal })).rejects.toThrow("interrupted");
  const { results } = await run("broken", pieces(ran), { resume: true });
  expect(ran).toEqual(["first", "second", "second from 7"]);
  const whole = await run("whole", pieces([]));
  expect(results).toEqual(whole.results);
  expect(results.get("second")).toEqual({ commit: "c1", result: { value: 1.5, w: [1, 2] } });
  // The checkpoint of a piece that is done is of no use.
  const tensors = await readdir(join("broken", "tensors"));
  expect(tensors.filter((name) => name.startsWith("checkpoint."))).toEqual([]);
});

it("shares its pieces among processes: none runs twice, and one that needs another's waits for it", async () => {
  const ran: string[] = [];
  const piece = (name: string, body: Piece["run"]): Piece => ({
    name,
    work: 1,
    run: async (context) => {
      const result = await body(context);
      ran.push(name);
      return result;
    },
  });
  const shared = [
    piece("first", () => vi.waitUntil(() => ran.includes("third"))),
    piece("second", async ({ result }) => [result("first")]),
    piece("third", async () => 3),
  ];
  const beginning = run("shared", shared);
  await vi.waitUntil(() => readdir(join("shared", "locks", "first")).catch(() => undefined));
  // The second needs the first, so who joins goes on with the third.
  const [one, other] = await Promise.all([beginning, run("shared", shared, { resume: true })]);
  expect(ran).toEqual(["third", "first", "second"]);
  expect(other.results).toEqual(one.results);
  expect([...one.results.values()].map(({ result }) => result)).toEqual([true, [true], 3]);
});

it("says when a piece asks for what no piece before it gives", async () => {
  const [, second] = pieces([]);
  await expect(run("orphan", [second!])).rejects.toThrow('piece "second" asks for the tensors weights');
});

it("shows all pieces as one task, so that the time left is that of the whole", async () => {
  const { events } = await run("progress", pieces([]));
  expect(events.map(({ task, done, total }) => [task, done, total])).toEqual([
    ["reproduce test", 0, 4],
    ["reproduce test", 2, 4],
    ["reproduce test", 3, 4],
  ]);
});

it("counts what is there from the start, pieces behind the next one too", async () => {
  const whole = await run("resumed", pieces([]));
  await rm(join("resumed", "pieces", "first.json"));
  const { events, results } = await run("resumed", pieces([]), { resume: true });
  expect(events.map(({ done, total }) => [done, total])).toEqual([
    [1, 4],
    [3, 4],
  ]);
  expect(results).toEqual(whole.results);
});

it("refuses a folder that holds something else, one begun without --resume, and --resume where nothing was begun", async () => {
  await expect(open("absent", true)).rejects.toThrow("there is nothing to go on with");
  expect(await readdir(".")).not.toContain("absent");
  await open("begun");
  await expect(open("begun")).rejects.toThrow("this was begun before");
  const other = { path: "begun", system: "other", scale: "quick", resume: true } as const;
  await expect(openReproduction(other)).rejects.toThrow("another reproduction was begun");
  await open("begun", true);
  await mkdir("foreign");
  await writeFile(join("foreign", "notes.txt"), "mine");
  await expect(open("foreign")).rejects.toThrow("files that belong to no reproduction");
});

it("names the file of a damaged piece and what to do", async () => {
  await run("damaged", pieces([]));
  const file = join("damaged", "pieces", "first.json");
  await writeFile(file, (await readFile(file, "utf8")).slice(0, 20));
  await expect(run("damaged", pieces([]), { resume: true })).rejects.toThrow(/first\.json.*damaged.*computed again/s);
});

const card: Card = {
  system: "test",
  title: "Test",
  scale: "quick",
  date: "2026-01-02",
  commit: "abc",
  command: "dovetail reproduce test --scale quick",
  seeds: [0, 1],
  machine: "a processor, 2 cores",
  setup: ["How it was done."],
  claims: [
    {
      text: "better",
      source: "paper",
      claimed: 1,
      ours: 2,
      spread: 0.5,
      perSeed: [1.5, 2.5],
      unit: "points",
      held: true,
      tried: [],
    },
    {
      text: "faster | wider",
      source: "paper",
      claimed: 3,
      ours: 2,
      spread: null,
      unit: "ms",
      held: false,
      tried: ["this", "that"],
    },
    {
      text: "smaller",
      source: "paper",
      claimed: 3,
      ours: 2,
      spread: null,
      unit: "kB",
      held: false,
      tried: ["this", "that"],
    },
  ],
  notRun: [{ text: "larger", source: "paper", claimed: 9, unit: "%", reason: "takes days" }],
  tables: [
    {
      title: "Figures",
      columns: ["name", "value"],
      rows: [
        ["a", 1.25],
        ["b", null],
      ],
    },
  ],
};

it("renders every figure of a card, and says what did not hold", () => {
  const page = renderCard(cardSchema.parse(card));
  expect(page).toContain("1 of 3 claims held");
  expect(page).toContain("| better | paper | 1 points | 2 points | 0.5 | 1.5, 2.5 | yes |");
  expect(page).toContain("| faster \\| wider | paper | 3 ms | 2 ms | one seed | – | **no** |");
  expect(page).toContain("- faster | wider: this; that.");
  expect(page).toContain("- smaller: as for “faster | wider”.");
  expect(page).toContain("| b | – |");
  expect(page).toContain("| larger | paper | 9 % | takes days |");
});

it("knows no other system", async () => {
  const { exitCode, stderr } = await runCommand(["reproduce", "fractrian"]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain("did you mean fractrain?");
});

it("every reproduction has pieces of different names, with work to do, at both scales", () => {
  for (const { pieces: plan, scales } of Object.values(reproductions)) {
    for (const scale of ["quick", "full"] as const) {
      const names = plan(scale).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.every((name) => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name))).toBe(true);
      expect(plan(scale).every(({ work }) => work > 0)).toBe(true);
      expect(scales[scale].seeds.length).toBeGreaterThan(0);
    }
  }
});
