import { describe, expect, it } from "vitest";
import { macCount } from "./problem.js";
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
    ["MobileNetV2", 300.8],
    ["EfficientNet-B0", 390],
  ] as const)("%s: %d million multiply-accumulates", (name, millions) => {
    expect(Math.abs(macs(name) / (millions * 1e6) - 1)).toBeLessThan(0.02);
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
