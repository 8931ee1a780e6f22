import { describe, expect, it } from "vitest";
import { dataSpaceWords, macCount } from "./problem.js";
import { type PublishedNetwork, publishedNetwork, publishedNetworkNames } from "./published-networks.js";

const macs = (name: PublishedNetwork): number =>
  publishedNetwork(name, { bits: 8 }).reduce((sum, layer) => sum + macCount(layer), 0);

describe("networks that publications cost", () => {
  // Multiply-accumulates that the literature gives of these networks, in millions: torchvision's and the authors' tables.
  it.each([
    ["AlexNet", 724],
    ["VGG-11", 7609],
    ["VGG-16", 15470],
    ["VGG-19", 398],
    ["ResNet-18", 1814],
    ["ResNet-50", 4089],
    ["ResNet-164", 249.5],
    ["MobileNetV2", 300.8],
    ["EfficientNet-B0", 390],
  ] as const)("%s: %d million multiply-accumulates", (name, millions) => {
    expect(Math.abs(macs(name) / (millions * 1e6) - 1)).toBeLessThan(0.02);
  });

  // Parameters in millions: torchvision's (ResNet-50, MobileNetV2, VGG-11, AlexNet with two towers is its authors'), the
  // authors' (EfficientNet-B0), network slimming's (ResNet-164, VGG-19 on CIFAR-10); DeepLabV3+ on ResNet-50 was worked out
  // by hand. Batch norms and biases, which loop nests do not have, are within the limit.
  it.each([
    ["AlexNet", 60.97],
    ["VGG-11", 132.86],
    ["VGG-16", 138.36],
    ["VGG-19", 20.04],
    ["ResNet-18", 11.69],
    ["ResNet-50", 25.56],
    ["ResNet-164", 1.7],
    ["MobileNetV2", 3.5],
    ["EfficientNet-B0", 5.29],
    ["DeepLabV3+", 40.35],
  ] as const)("%s: %d million parameters", (name, millions) => {
    const weights = publishedNetwork(name, { bits: 8 }).reduce(
      (sum, layer) => sum + dataSpaceWords(layer, layer.dataSpaces[0]!),
      0,
    );
    expect(Math.abs(weights / (millions * 1e6) - 1)).toBeLessThan(0.02);
  });

  it("DeepLabV3+ has CamVid's shapes", () => {
    const layers = publishedNetwork("DeepLabV3+", { bits: 8 });
    expect(layers[0]!.dimensions).toMatchObject({ P: 180, Q: 240 });
    expect(layers.at(-1)!.dimensions).toMatchObject({ M: 11, P: 90, Q: 120 });
    // Output stride 16, rounded up.
    expect(layers.some(({ dimensions }) => dimensions.C === 2048 && dimensions.P === 23 && dimensions.Q === 30)).toBe(
      true,
    );
  });

  it("have words of the width asked for, whatever the tensor", () => {
    for (const name of publishedNetworkNames) {
      const widths = publishedNetwork(name, { bits: 5 }).flatMap(({ dataSpaces }) =>
        dataSpaces.map(({ bitWidth }) => bitWidth),
      );
      expect(new Set(widths)).toEqual(new Set([5]));
    }
  });

  it("that nobody knows are refused", () => {
    expect(() => publishedNetwork("ResNet-5O" as PublishedNetwork, { bits: 8 })).toThrow("did you mean ResNet-50?");
  });
});
