import { expect, it } from "vitest";
import { trainingSchema } from "../recipes/training-schema.js";
import { historySchema } from "../runs/history.js";
import { searchMetricsSchema, trainMetricsSchema } from "../runs/metrics.js";
import { chunkMappingSchema, pipelineSchema } from "../runs/pipeline.js";
import { searchTraceSchema } from "../runs/search-trace.js";
import { timingSchema } from "../runs/timing.js";
import { type Field, fieldsOf, outputTable } from "./testing/fields.js";
import { pageFile, pageWithTables } from "./testing/page.js";

// Brought up to date by: npx vitest run packages/cli/src/docs -u

const names = (fields: readonly Field[]): ReadonlySet<string> => new Set(fields.map(({ name }) => name));

/** Those of metrics.json, without the fields of `hardware` in each baseline. */
function metricsFields(): Field[] {
  const fields = fieldsOf(searchMetricsSchema, "output");
  const hardware = names(fields.filter(({ name }) => name.startsWith("hardware.")));
  return fields.filter(
    ({ name }) => !(name.startsWith("baselines[].") && hardware.has(name.replace("baselines[].", "hardware."))),
  );
}

it("docs/tutorials/run-folder.md has every field of every file", async () => {
  const page = pageWithTables("tutorials/run-folder.md", {
    metrics: outputTable(metricsFields()),
    timing: outputTable(fieldsOf(timingSchema, "output")),
    search: outputTable(fieldsOf(searchTraceSchema, "output")),
    history: outputTable(fieldsOf(historySchema.element, "output")),
    pipeline: outputTable(fieldsOf(pipelineSchema, "output")),
    "chunk mapping": outputTable(fieldsOf(chunkMappingSchema, "output")),
    training: outputTable(fieldsOf(trainingSchema, "output").filter(({ name }) => !name.startsWith("data"))),
  });
  await expect(page).toMatchFileSnapshot(pageFile("tutorials/run-folder.md"));
});

it("a training's metrics.json has no field that a search's has not", () => {
  const all = names(fieldsOf(searchMetricsSchema, "output"));
  expect([...names(fieldsOf(trainMetricsSchema, "output"))].filter((name) => !all.has(name))).toEqual([]);
});
