// What must run in a page as it runs in Node: the browser test does both and compares.
import { createRandomStream, type ProgressListener } from "@dovetail/core";
import { extractWorkloads, eyerissLike, mapNetwork, printMapping } from "@dovetail/hardware";
import { zooNetwork } from "@dovetail/models";
import { accuracyCostFront, cellCosts, readBenchmark } from "@dovetail/nasbench";

export interface MappingJob {
  readonly seed: number;
  /** Per layer shape. */
  readonly evaluations: number;
}

/** Builds ResNet-18, reads its layers and maps each on the Eyeriss-like accelerator: energies, latencies, loop nests. */
export function mapResNet18({ seed, evaluations }: MappingJob, onProgress?: ProgressListener) {
  const { layers } = extractWorkloads(zooNetwork("preact-resnet18").graph);
  const mapped = mapNetwork(layers, eyerissLike(), { evaluations, random: createRandomStream(seed), onProgress });
  if (!mapped.ok) throw new Error(`${mapped.unmapped.length} layers have no mapping`);
  return mapped.layers.map(({ mapping, cost }, index) => ({
    name: layers[index]!.problem.name,
    energyPj: cost.energyPj,
    latencyCycles: cost.latencyCycles,
    mapping: printMapping(mapping),
  }));
}

/** The best trades of accuracy against Edge TPU latency on CIFAR-10, from the bytes of the bundled tables. */
export async function edgeTpuFront(bytes: { readonly cells: Uint8Array; readonly fbnet: Uint8Array }) {
  const { cells } = await readBenchmark(bytes);
  return accuracyCostFront(cells.accuracies.cifar10.test, cellCosts(cells, "cifar10", "edgetpu_latency"));
}
