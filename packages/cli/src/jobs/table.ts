import type { RunRecord } from "../runs/record.js";
import type { Job } from "./job.js";
import { designJob, searchJob } from "./search.js";
import { trainJob } from "./train.js";

/** What each kind of run does. */
export const jobs: Readonly<Record<RunRecord["kind"], Job>> = {
  search: searchJob,
  design: designJob,
  train: trainJob,
};
