import { DovetailError } from "@dovetail/core";
import { describe, expect, it } from "vitest";
import { countMacs } from "../network/macs.js";
import { parameterCount } from "../network/network.js";
import { resNet } from "./resnet.js";
import { zoo, zooNetwork } from "./zoo.js";

// Running statistics are not counted, as usual in the literature; MLPerf's 78,666 counts them.
const published = {
  // 6n+2 of He et al. with 1×1-convolution shortcuts: option A's 269,722 + (16·32 + 2·32) + (32·64 + 2·64).
  resnet20: { trainable: 272_474, macs: 40_813_184 },
  // torchvision-style pre-activation ResNet-18 of the adversarial-training literature: 11,172,170 parameters.
  "preact-resnet18": { trainable: 11_172_170, macs: 555_422_720 },
  // Common CIFAR VGGs have 9,231,114 and 20,040,522 with the convolutions' 2,752 and 5,504 redundant biases.
  "vgg11-bn": { trainable: 9_231_114 - 2_752, macs: 152_769_536 },
  "vgg19-bn": { trainable: 20_040_522 - 5_504, macs: 398_136_320 },
  // torchvision's mobilenet_v2(num_classes=10).
  "mobilenet-v2": { trainable: 2_236_682, macs: 87_976_448 },
  "mlperf-tiny-resnet8": { trainable: 78_666 - 2 * (3 * 16 + 2 * 32 + 2 * 64), macs: 12_501_632 },
};

describe("networks of the zoo", () => {
  it.each(Object.entries(published))("%s has the published number of parameters and MACs", (name, figures) => {
    const network = zooNetwork(name);
    expect(parameterCount(network, { trainableOnly: true })).toBe(figures.trainable);
    expect(countMacs(network.graph)).toBe(figures.macs);
  });

  it("counts MLPerf Tiny's ResNet-8 as Keras does, running statistics included", () => {
    expect(parameterCount(zooNetwork("mlperf-tiny-resnet8"))).toBe(78_666);
  });

  it.each(Object.keys(zoo))("%s is a classifier with unique parameter names", (name) => {
    const network = zooNetwork(name, { classCount: 7 });
    expect(network.graph.types.get("logits")?.shape).toEqual(["batch", 7]);
    const names = network.parameters.map((parameter) => parameter.name);
    expect(new Set(names).size).toBe(names.length);
    expect(network.graph.inputs.map((input) => input.name)).toEqual(["image", ...names]);
  });

  it("has depth layers with weights in each ResNet, shortcuts aside", () => {
    for (const depth of [8, 20, 56]) {
      const weighted = resNet({ depth }).graph.nodes.filter(
        ({ operator }) => operator === "Conv" || operator === "Gemm",
      );
      expect(weighted.length).toBe(depth + 2);
    }
  });

  it("names the nearest network when there is none of that name, and the form of ResNet's depth", () => {
    expect(() => zooNetwork("resnet-20")).toThrow(/did you mean "resnet20"/);
    expect(() => zooNetwork("toString")).toThrow(DovetailError);
    expect(() => resNet({ depth: 18 })).toThrow(/expected 6n \+ 2, n ≥ 1, received 18/);
  });
});
