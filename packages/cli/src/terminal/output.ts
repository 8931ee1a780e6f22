/** What text is written to; process.stdout and process.stderr are such things. */
export interface Output {
  write(text: string): unknown;
  /** True for a terminal: there progress is a bar. */
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}
