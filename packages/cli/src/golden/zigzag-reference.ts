import {
  mapZigZagNetwork,
  type ZigZagLayer,
  zigzagHardwareOf,
  zigzagMappingOf,
  zigzagWorkloadOf,
} from "@dovetail/hardware";
import * as z from "zod";
import { type GoldenCase, type GoldenDifference, judge, skip, startComparison } from "./result.js";
import { zigzagNetworks } from "./zigzag-networks.js";

// Totals of ZigZag's own searches over whole networks: bounds for ours.

const LATENCY_BOUND = 1.001;
const ENERGY_BOUND = 1.05;
/** ZigZag's own limit in the tests of the matrix product; elsewhere its default, which is ours too. */
const GEMM_FACTOR_LIMIT = 3;

const testSchema = z.object({
  id: z.string(),
  hardware: z.string(),
  mapping: z.string(),
  workload: z.string(),
  expected: z.object({ energy_pJ: z.number().positive(), latency_cycles: z.number().positive() }),
  judged: z.boolean().default(true),
  why_not_judged: z.string().optional(),
});

const setSchema = z.object({
  hardware: z.record(z.string(), z.unknown()),
  mappings: z.record(z.string(), z.unknown()),
  workload_resnet18_yaml: z.unknown(),
  workload_gemm_layer: z.unknown(),
  tests: z.array(testSchema),
});

type ReferenceSet = z.infer<typeof setSchema>;
type ReferenceTest = ReferenceSet["tests"][number];

/** The set `zigzag_reference`. */
export function compareZigZagReference(data: unknown): GoldenCase[] {
  const set = setSchema.parse(data);
  return set.tests.map((test) => {
    if (test.judged) return judge(test.id, () => compareTotals(set, test));
    const reason = test.why_not_judged ?? "not judged";
    const missing = missingData(set, test);
    return skip(test.id, reason, () => (missing === undefined ? printTotals(set, test) : [missing]));
  });
}

function compareTotals(set: ReferenceSet, test: ReferenceTest): readonly GoldenDifference[] {
  const missing = missingData(set, test);
  if (missing !== undefined) return [missing];
  const { energyPj, latencyCycles } = mapTest(set, test);
  const comparison = startComparison();
  comparison.expectAtMost("latency", LATENCY_BOUND * test.expected.latency_cycles, latencyCycles);
  comparison.expectAtMost("energy", ENERGY_BOUND * test.expected.energy_pJ, energyPj);
  return comparison.differences;
}

/** Both figures of a case that is not judged. */
function printTotals(set: ReferenceSet, test: ReferenceTest): readonly GoldenDifference[] {
  const { energyPj, latencyCycles } = mapTest(set, test);
  return [
    { figure: "latency (cycles)", expected: test.expected.latency_cycles, found: latencyCycles },
    { figure: "energy (pJ)", expected: test.expected.energy_pJ, found: energyPj },
  ];
}

function mapTest(set: ReferenceSet, test: ReferenceTest) {
  const accelerator = zigzagHardwareOf(set.hardware[stem(test.hardware)]);
  const mapping = zigzagMappingOf(set.mappings[stem(test.mapping)]);
  const isGemm = test.workload.startsWith("gemm");
  return mapZigZagNetwork(
    layersOf(set, test.workload)!,
    accelerator,
    mapping,
    isGemm ? { factorLimit: GEMM_FACTOR_LIMIT } : {},
  );
}

/** What of a case the file and we do not have. */
function missingData(set: ReferenceSet, test: ReferenceTest): GoldenDifference | undefined {
  const absent = [
    ...(set.hardware[stem(test.hardware)] === undefined ? [test.hardware] : []),
    ...(set.mappings[stem(test.mapping)] === undefined ? [test.mapping] : []),
    ...(layersOf(set, test.workload) === undefined ? [test.workload] : []),
  ];
  if (absent.length === 0) return undefined;
  return { figure: "inputs", expected: "in the file", found: `no ${absent.join(", no ")}` };
}

function layersOf(set: ReferenceSet, workload: string): readonly ZigZagLayer[] | undefined {
  if (workload === "resnet18.yaml") return zigzagWorkloadOf(set.workload_resnet18_yaml);
  if (workload === "gemm_layer.yaml") return zigzagWorkloadOf(set.workload_gemm_layer);
  return zigzagNetworks[workload];
}

function stem(file: string): string {
  return file.replace(/\.yaml$/, "");
}
