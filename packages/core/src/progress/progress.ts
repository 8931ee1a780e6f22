/** How far a piece of work is. `done` and `total` count the same steps, of whatever kind `unit` names. */
export interface ProgressEvent {
  /** What is going on, e.g. `search` or `train resnet20`. */
  readonly task: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  /** Figures worth showing beside the bar, e.g. `{ loss: 1.23 }`. */
  readonly figures?: Readonly<Record<string, number>> | undefined;
}

/** Receives progress; the terminal, a log and the studio are such receivers. */
export type ProgressListener = (event: ProgressEvent) => void;

/** Receives remarks for the person who watches. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** What long-running functions take beside their inputs. All are optional; the default is silence. */
export interface Watch {
  readonly onProgress?: ProgressListener | undefined;
  readonly log?: Log | undefined;
  /** Cancellation: long-running functions stop at the next step and throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
