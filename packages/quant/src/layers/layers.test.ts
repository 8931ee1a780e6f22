import { mobileNetV2, preActResNet18, resNet } from "@dovetail/models";
import { expect, it } from "vitest";
import { smallNetwork } from "../testing/levels.js";
import { type LayerRole, layersOf } from "./layers.js";

const namesOf = (layers: ReturnType<typeof layersOf>, role: LayerRole): string[] =>
  layers.filter((layer) => layer.role === role).map(({ name }) => name);

it("tells a residual network's layers apart by their place", () => {
  const layers = layersOf(resNet({ depth: 20 }));
  expect(layers.length).toBe(22);
  expect(namesOf(layers, "stem")).toEqual(["stem.conv"]);
  expect(namesOf(layers, "classifier")).toEqual(["classifier"]);
  expect(namesOf(layers, "shortcut")).toEqual(["stage2.0.shortcut.conv", "stage3.0.shortcut.conv"]);
  expect(namesOf(layers, "inner").length).toBe(18);
  for (const { channelAxis } of layers) expect(channelAxis).toBe(0);
});

it("finds shortcuts that start behind the pre-activation", () => {
  const layers = layersOf(preActResNet18());
  expect(namesOf(layers, "shortcut")).toEqual([2, 3, 4].map((stage) => `stage${stage}.0.shortcut`));
  expect(namesOf(layers, "inner").length).toBe(16);
});

it("knows depth-wise convolutions, and takes no linear projection for a shortcut", () => {
  const layers = layersOf(mobileNetV2());
  const depthwise = layers.filter(({ role }) => role === "depthwise");
  expect(depthwise.length).toBe(17);
  for (const { depthwiseChannels, node } of depthwise) expect(node.attributes.group?.value).toBe(depthwiseChannels);
  expect(namesOf(layers, "shortcut")).toEqual([]);
});

it("gives each layer of the small test network its role", () => {
  expect(layersOf(smallNetwork()).map(({ name, role }) => [name, role])).toEqual([
    ["stem.conv", "stem"],
    ["first.conv", "inner"],
    ["second.conv", "inner"],
    ["shortcut.conv", "shortcut"],
    ["separable.depthwise.conv", "depthwise"],
    ["separable.pointwise.conv", "inner"],
    ["classifier", "classifier"],
  ]);
});
