/** The metrics of HW-NAS-Bench in the order of the authors' queries. */
export const metricNames = [
  "edgegpu_latency",
  "edgegpu_energy",
  "raspi4_latency",
  "edgetpu_latency",
  "pixel3_latency",
  "eyeriss_latency",
  "eyeriss_energy",
  "eyeriss_arithmetic_intensity",
  "fpga_latency",
  "fpga_energy",
] as const;

export type MetricName = (typeof metricNames)[number];

/** The metrics that FBNet has. */
export const fbnetMetricNames = [
  "edgegpu_latency",
  "edgegpu_energy",
  "raspi4_latency",
  "pixel3_latency",
  "eyeriss_latency",
  "eyeriss_energy",
  "fpga_latency",
  "fpga_energy",
] as const satisfies readonly MetricName[];

export type FbnetMetricName = (typeof fbnetMetricNames)[number];

/** How a device's costs came about. */
export type Provenance = "measured" | "estimated";

export interface Device {
  readonly title: string;
  readonly provenance: Provenance;
  /** How the costs were had; every cost is of one image. */
  readonly method: string;
}

/** The six devices of HW-NAS-Bench. */
export const devices = {
  edgegpu: {
    title: "Edge GPU, NVIDIA Jetson TX2",
    provenance: "measured",
    method: "TensorRT; energy is latency times the mean power of the board's first rail",
  },
  raspi4: { title: "Raspberry Pi 4", provenance: "measured", method: "TensorFlow Lite" },
  edgetpu: { title: "Edge TPU", provenance: "measured", method: "TensorFlow Lite" },
  pixel3: { title: "Pixel 3", provenance: "measured", method: "TensorFlow Lite" },
  eyeriss: { title: "ASIC, Eyeriss", provenance: "estimated", method: "analytical model of the accelerator" },
  fpga: { title: "FPGA", provenance: "estimated", method: "analytical model of a layer pipeline" },
} as const satisfies Record<string, Device>;

export type DeviceName = keyof typeof devices;

/** `ms`, `mJ`; the arithmetic intensity is operations per byte. */
export function metricUnit(metric: string): string {
  return metric.endsWith("_latency") ? "ms" : metric.endsWith("_energy") ? "mJ" : "operations per byte";
}

/** A known fault of the published data. It is shown where the data are used; nothing is corrected. */
export interface PublishedFault {
  readonly code: string;
  readonly space: "nas-bench-201" | "fbnet";
  readonly metrics: readonly string[];
  readonly text: string;
}

/** Faults found by checking the published data. */
export const publishedFaults: readonly PublishedFault[] = [
  {
    code: "eyeriss_pooling",
    space: "nas-bench-201",
    metrics: ["eyeriss_latency", "eyeriss_energy"],
    text: "average pooling is charged like a dense 3×3 convolution, so eyeriss ranks pooling as high as nor_conv_3x3",
  },
  {
    code: "eyeriss_pooling",
    space: "fbnet",
    metrics: ["eyeriss_latency", "eyeriss_energy"],
    text: "the average pool is charged like a dense convolution: 2.262 ms on CIFAR-100, 57 % of the network of operator 0",
  },
  {
    code: "eyeriss_energy_is_latency",
    space: "fbnet",
    metrics: ["eyeriss_energy"],
    text: "the energy of stem, header, average pool and classifier is a copy of their latency; it is the same for all networks of a data set",
  },
  {
    code: "fpga_zero_layers",
    space: "fbnet",
    metrics: ["fpga_latency", "fpga_energy"],
    text: "stem, header, average pool, classifier and every skip cost 0, skips with a convolution too",
  },
  {
    code: "fpga_energy_is_seven_watts",
    space: "fbnet",
    metrics: ["fpga_energy"],
    text: "the energy is 7 W times the latency everywhere: it ranks networks as the latency does",
  },
  {
    code: "fpga_energy_is_seven_watts",
    space: "nas-bench-201",
    metrics: ["fpga_energy"],
    text: "the energy is 7 W times the latency: it ranks networks as the latency does",
  },
  {
    code: "outliers",
    space: "nas-bench-201",
    metrics: ["raspi4_latency", "pixel3_latency"],
    text: "single measurements: some are tens of ms off what their operators suggest, and networks without a path cost about 0",
  },
];
