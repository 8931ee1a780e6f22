// Figures that the authors published, and figures computed from the data by others than this program: seeds of the nine
// checks.

/** The authors' example notebook: FBNet, first operators as given, all others 0; order of `fbnetMetricNames`. */
export const publishedFbnetTotals = [
  {
    dataset: "cifar100",
    operators: [0],
    totals: [
      15.804523468017578, 86.98095934380125, 17.618579145142576, 7.788973100000002, 3.9408960000000004,
      3.2420080000000002, 10.739520000000002, 75.17664,
    ],
  },
  {
    dataset: "ImageNet",
    operators: [0],
    totals: [
      16.431164979934692, 102.71604275841212, 57.65650005702628, 27.5423871, 18.127332000000003, 16.945472000000002,
      29.42189999999999, 205.95329999999998,
    ],
  },
  {
    dataset: "cifar100",
    operators: Array.from({ length: 22 }, (_, position) => (position >= 20 ? 1 : 0)),
    totals: [
      18.126894235610962, 99.01054894461463, 17.43969264414045, 7.596349100000001, 3.8665600000000007, 3.263408,
      10.07136, 70.49952,
    ],
    average: 2130193321.381353,
  },
] as const;

/** Networks of one operator throughout, CIFAR-100: operator, then eyeriss, fpga, raspi4, pixel3, edgegpu latency, ms. */
export const sameOperatorTotals = [
  [3, 8.552128, 60.49152, 62.494389, 33.105127, 18.106899],
  [7, 9.787456, 60.87552, 79.221628, 47.091801, 19.352546],
  [8, 2.788352, 0, 7.798226, 2.838628, 5.117425],
] as const;

/** Spearman's ρ over the 5,000 sampled FBNet networks, CIFAR-100 latencies. */
export const fbnetRankCorrelations = [
  ["edgegpu", "eyeriss", 0.0355],
  ["edgegpu", "fpga", -0.0125],
  ["edgegpu", "pixel3", 0.0731],
  ["edgegpu", "raspi4", 0.0415],
  ["raspi4", "pixel3", 0.9568],
  ["eyeriss", "fpga", 0.941],
  ["eyeriss", "pixel3", 0.9758],
] as const;

/** Spearman's ρ over NAS-Bench-201, CIFAR-10 latencies; `macs` and `accuracy` beside the devices. */
export const cellRankCorrelations = [
  ["raspi4", "pixel3", 0.96675],
  ["raspi4", "fpga", 0.89034],
  ["pixel3", "fpga", 0.87234],
  ["fpga", "eyeriss", 0.75327],
  ["pixel3", "eyeriss", 0.72165],
  ["raspi4", "eyeriss", 0.67855],
  ["macs", "fpga", 0.93848],
  ["macs", "raspi4", 0.87266],
  ["macs", "pixel3", 0.84116],
  ["macs", "eyeriss", 0.54217],
  ["macs", "accuracy", 0.75269],
] as const;

/** Latency in ms = fixed + terms times the number of edges with that operator: exact for the two estimated devices. */
export const additiveLatencies = {
  eyeriss: { fixed: 1.67954, nor_conv_1x1: 0.24576, nor_conv_3x3: 1.47456, avg_pool_3x3: 1.47456 },
  fpga: { fixed: 1.13296, nor_conv_1x1: 0.5152, nor_conv_3x3: 1.2576, avg_pool_3x3: 0.4096 },
} as const;

/** Fronts of accuracy and latency on CIFAR-10: networks on the front, the fastest with at least 93.5 %. */
export const cellFronts = [
  { device: "eyeriss", size: 19, fastest: 3625, latencyMs: 3.64562 },
  { device: "fpga", size: 13, fastest: 3625, latencyMs: 3.42096 },
  { device: "pixel3", size: 44, fastest: 13171, latencyMs: 7.71722 },
  { device: "raspi4", size: 43, fastest: 12043, latencyMs: 24.10454 },
] as const;

/** The network at the end of all four fronts, and its accuracy. */
export const frontEnd = { index: 6111, accuracyPercent: 94.3733 };

/** Expected test accuracy of random search: networks drawn, then CIFAR-100 and ImageNet16-120, percent. */
export const randomSearchAccuracies = [
  [10, 69.7638, 43.3159],
  [30, 70.6548, 44.6269],
  [100, 71.4331, 45.4143],
  [300, 72.1212, 45.9066],
  [1000, 72.6565, 46.2908],
] as const;

/** Best network by validation accuracy: its index, validation and test accuracy, percent. */
export const bestByValidation = {
  cifar100: { index: 9930, validation: 73.4933, test: 73.5133 },
  "ImageNet16-120": { index: 10676, validation: 46.7333, test: 46.2 },
} as const;

/** Edge GPU latency over NAS-Bench-201 on CIFAR-10, ms (printed in the repository fracapuano/sim-is-more, MIT). */
export const edgeGpuSummary = { mean: 5.0511, standardDeviation: 1.5268, minimum: 0.5014, maximum: 11.62 };
