import { inputError, nearestWord } from "@dovetail/core";
import type { Network } from "../network/network.js";
import { mlperfTinyResNet8 } from "./mlperf-tiny-resnet8.js";
import { mobileNetV2 } from "./mobilenet-v2.js";
import type { ZooOptions } from "./options.js";
import { preActResNet18 } from "./preact-resnet18.js";
import { resNet } from "./resnet.js";
import { vgg } from "./vgg.js";

const resNetOfDepth =
  (depth: number) =>
  (options: ZooOptions): Network =>
    resNet({ ...options, depth });

/** The networks that have a name. Other depths and widths of ResNet: `resNet(…)`. */
export const zoo: Readonly<Record<string, (options: ZooOptions) => Network>> = {
  resnet8: resNetOfDepth(8),
  resnet14: resNetOfDepth(14),
  resnet20: resNetOfDepth(20),
  resnet32: resNetOfDepth(32),
  resnet38: resNetOfDepth(38),
  resnet44: resNetOfDepth(44),
  resnet56: resNetOfDepth(56),
  resnet74: resNetOfDepth(74),
  resnet110: resNetOfDepth(110),
  "preact-resnet18": preActResNet18,
  "vgg11-bn": (options) => vgg({ ...options, depth: 11 }),
  "vgg19-bn": (options) => vgg({ ...options, depth: 19 }),
  "mobilenet-v2": mobileNetV2,
  "mlperf-tiny-resnet8": mlperfTinyResNet8,
};

/** A network of the zoo by name. Throws with the nearest name when there is none. */
export function zooNetwork(name: string, options: ZooOptions = {}): Network {
  const make = Object.hasOwn(zoo, name) ? zoo[name] : undefined;
  if (!make) {
    const near = nearestWord(name, Object.keys(zoo));
    throw inputError("unknown_network", "no such network in the zoo", {
      expected: `one of ${Object.keys(zoo).join(", ")}`,
      received: `"${name}"`,
      hint: near ? `did you mean "${near}"?` : undefined,
    });
  }
  return make(options);
}
