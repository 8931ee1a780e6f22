import type { Log, ProgressEvent, ProgressListener } from "@dovetail/core";
import { Presets, SingleBar } from "cli-progress";
import type { Output } from "./output.js";

/** Where a command talks to its user: results on stdout, everything else on stderr. */
export interface Terminal {
  readonly onProgress: ProgressListener;
  readonly log: Log;
  /** Ends a bar that is being drawn. */
  finish(): void;
}

interface TerminalOptions {
  /** Silence: no progress and no remarks, warnings stay. */
  readonly quiet?: boolean | undefined;
  readonly stream?: Output | undefined;
  readonly now?: (() => number) | undefined;
}

/** Progress as a bar with the time left on a terminal; when piped as a line every tenth of the way and every five minutes. */
export function createTerminal(options: TerminalOptions = {}): Terminal {
  const { quiet = false, stream = process.stderr, now = Date.now } = options;
  const renderer = quiet ? undefined : stream.isTTY ? barRenderer(stream) : lineRenderer(stream, now);
  const say = (text: string): void => {
    renderer?.finish();
    stream.write(`${text}\n`);
  };
  return {
    onProgress: (event) => renderer?.show(event),
    log: {
      info: (message) => {
        if (!quiet) say(message);
      },
      warn: (message) => say(`warning: ${message}`),
    },
    finish: () => renderer?.finish(),
  };
}

interface Renderer {
  show(event: ProgressEvent): void;
  finish(): void;
}

function figures(event: ProgressEvent): string {
  return Object.entries(event.figures ?? {})
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join("  ");
}

function barRenderer(stream: Output): Renderer {
  let bar: SingleBar | undefined;
  let task = "";
  const finish = (): void => {
    bar?.stop();
    bar = undefined;
    task = "";
  };
  return {
    finish,
    show(event) {
      if (event.task !== task) {
        finish();
        task = event.task;
        bar = new SingleBar(
          {
            format: "{task} [{bar}] {value}/{total} {unit}  {eta_formatted} left  {figures}",
            stream: stream as NodeJS.WriteStream,
            hideCursor: true,
            etaBuffer: 50,
          },
          Presets.rect,
        );
        bar.start(event.total, event.done, { task, unit: event.unit, figures: figures(event) });
      } else {
        bar?.update(event.done, { figures: figures(event) });
      }
      if (event.done >= event.total) finish();
    },
  };
}

/** Least time between two lines about one task; a task that ends sooner gets its last line alone. */
const lineIntervalMs = 1000;
/** After so long there is a line even without a tenth of the way. */
const longestSilenceMs = 5 * 60_000;

function lineRenderer(stream: Output, now: () => number): Renderer {
  let task = "";
  let startedAt = 0;
  let startedWith = 0;
  let printedAt = 0;
  let printedTenth = -1;
  const begin = (event: ProgressEvent): void => {
    task = event.task;
    startedAt = now();
    startedWith = event.done;
    printedAt = startedAt;
    printedTenth = -1;
  };
  return {
    finish() {},
    show(event) {
      if (event.task !== task) begin(event);
      const tenth = Math.floor((10 * event.done) / Math.max(1, event.total));
      const isDone = event.done >= event.total;
      const silence = now() - printedAt;
      const isDue = tenth > printedTenth ? isDone || silence >= lineIntervalMs : silence >= longestSilenceMs;
      if (!isDue) return;
      printedTenth = tenth;
      printedAt = now();
      const passed = event.done - startedWith;
      const left = passed > 0 && !isDone ? ((now() - startedAt) / passed) * (event.total - event.done) : undefined;
      const time = left === undefined ? "" : `  ${formatDuration(left)} left`;
      stream.write(`${event.task}: ${event.done}/${event.total} ${event.unit}${time}  ${figures(event)}`.trimEnd());
      stream.write("\n");
    },
  };
}

/** `45s`, `3m20s`, `1h05m`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
}
