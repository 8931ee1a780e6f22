import {
  acceleratorJsonSchema,
  architectureJsonSchema,
  documentJsonSchema,
  mappingJsonSchema,
  problemJsonSchema,
} from "@dovetail/hardware";
import { recipeSchema } from "../recipes/schema.js";
import { trainingSchema } from "../recipes/training-schema.js";
import { historySchema } from "../runs/history.js";
import { searchMetricsSchema, trainMetricsSchema } from "../runs/metrics.js";
import { chunkMappingSchema, pipelineSchema } from "../runs/pipeline.js";
import { searchTraceSchema } from "../runs/search-trace.js";
import { timingSchema } from "../runs/timing.js";

/** JSON Schemas for editors and other programs, by their place in the repository. `write.ts` writes them. */
export const publishedSchemas: ReadonlyMap<string, object> = new Map([
  ["recipes/recipe.schema.json", documentJsonSchema(recipeSchema, "Dovetail recipe")],
  ["docs/schemas/problem.schema.json", problemJsonSchema()],
  ["docs/schemas/architecture.schema.json", architectureJsonSchema()],
  ["docs/schemas/accelerator.schema.json", acceleratorJsonSchema()],
  ["docs/schemas/mapping.schema.json", mappingJsonSchema()],
  ["docs/schemas/pipeline.schema.json", documentJsonSchema(pipelineSchema, "Dovetail FPGA pipeline")],
  ["docs/schemas/chunk-mapping.schema.json", documentJsonSchema(chunkMappingSchema, "Dovetail FPGA mapping")],
  ["docs/schemas/training.schema.json", documentJsonSchema(trainingSchema, "Dovetail training")],
  ["docs/schemas/metrics.schema.json", documentJsonSchema(searchMetricsSchema, "Dovetail metrics of a search")],
  ["docs/schemas/train-metrics.schema.json", documentJsonSchema(trainMetricsSchema, "Dovetail metrics of a training")],
  ["docs/schemas/search.schema.json", documentJsonSchema(searchTraceSchema, "Dovetail course of a search")],
  ["docs/schemas/history.schema.json", documentJsonSchema(historySchema, "Dovetail course of a training")],
  ["docs/schemas/timing.schema.json", documentJsonSchema(timingSchema, "Dovetail timing")],
]);
