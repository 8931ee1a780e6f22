import { type BlockingLevel, type BlockingLoop, blockingCost, blockingLoops } from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, type GoldenDifference, judge, startComparison } from "./result.js";

// Costs that Interstellar's unit tests work out by hand.

const factor = z.int().positive();

/** A loop's values over the memory levels, innermost first. */
const overLevels = <T extends z.ZodType>(value: T) => z.array(z.array(value).min(1)).length(blockingLoops.length);

const caseSchema = z.object({
  id: z.string(),
  access_cost: z.array(z.number().nonnegative()).min(1),
  loop_order: overLevels(z.int().min(0).max(6)),
  blocking: overLevels(factor),
  partitioning: overLevels(factor),
  expected: z.object({
    total_cost: z.number(),
    accesses_per_level_inner_to_outer: z
      .array(z.object({ input: z.number(), output: z.number(), weight: z.number() }))
      .optional(),
  }),
});

const setSchema = z.object({ cases: z.array(caseSchema) });

/** The set `interstellar_reference`. */
export function compareInterstellar(data: unknown): GoldenCase[] {
  return setSchema.parse(data).cases.map((entry) => judge(entry.id, () => compareCase(entry)));
}

function compareCase(entry: z.infer<typeof caseSchema>): readonly GoldenDifference[] {
  const { accesses, totalCost } = blockingCost(levelsOf(entry));
  const comparison = startComparison();
  comparison.expect("total cost", entry.expected.total_cost, totalCost);
  entry.expected.accesses_per_level_inner_to_outer?.forEach(({ input, output, weight }, level) => {
    comparison.expect(`level ${level} inputs`, input, accesses[level]?.inputs);
    comparison.expect(`level ${level} weights`, weight, accesses[level]?.weights);
    comparison.expect(`level ${level} outputs`, output, accesses[level]?.outputs);
  });
  return comparison.differences;
}

/** Order 6 means that the loop is not at the level. */
function levelsOf({ access_cost, loop_order, blocking, partitioning }: z.infer<typeof caseSchema>): BlockingLevel[] {
  return access_cost.map((accessCost, level) => {
    const loops = blockingLoops.map((loop, index) => {
      const order = loop_order[index]![level];
      const temporal = blocking[index]![level] ?? 1;
      const spatial = partitioning[index]![level] ?? 1;
      return [loop, { temporal, spatial, ...(order !== 6 && { position: order }) }];
    });
    return {
      accessCost,
      loops: Object.fromEntries(loops) as Record<BlockingLoop, BlockingLevel["loops"][BlockingLoop]>,
    };
  });
}
