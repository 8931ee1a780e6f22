import { tensorFromData } from "@dovetail/graph";
import type { ProviderName } from "@dovetail/runtime";
import type { Command } from "commander";
import { type Classifier, openClassifier } from "../evaluation/classifier.js";
import { readImage } from "../evaluation/read-image.js";
import { networkPath, readNetwork } from "../files/read-network.js";
import { type CommandIo, type CommonOptions, printResult } from "../terminal/command-io.js";
import { defineCommand, wholeNumber } from "./define.js";
import { pixelRange, providerOption, threadsOption } from "./options.js";

interface PredictOptions extends CommonOptions {
  readonly top: number;
  readonly pixelRange: readonly [number, number];
  readonly provider: ProviderName;
  readonly threads?: number;
}

interface Prediction {
  readonly image: string;
  /** Most probable first. */
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

/** `dovetail predict`: what a network says about images. */
export function predictCommand(io: CommandIo): Command {
  return defineCommand("predict", {
    summary: "what a network says about image files",
    description: "Images of any size and format (JPEG, PNG, WebP, GIF, TIFF, AVIF) are brought to the network's size.",
    examples: [
      ["dovetail predict runs/quickstart-seed0 cat.jpg dog.png", "with the network that a run found"],
      ["dovetail predict model.onnx --top 5 --json photos/*.jpg", "with any classifier of raw pixels"],
    ],
  })
    .argument("<model>", "a run folder, or an ONNX file")
    .argument("<images...>", "image files")
    .option("--top <n>", "how many classes to show", wholeNumber(1), 3)
    .addOption(pixelRange())
    .addOption(providerOption())
    .addOption(threadsOption())
    .action(async (path: string, images: readonly string[], options: PredictOptions) => {
      const classifier = await openClassifier(await readNetwork(await networkPath(path)), options);
      try {
        const predictions: Prediction[] = [];
        for (const image of images) {
          io.signal.throwIfAborted();
          predictions.push(await predict(classifier, image, options.top));
        }
        printResult(io, options, predictions, () =>
          predictions.map(({ image, classes }) => {
            const shown = classes.map(({ name, probability }) => `${name} ${(100 * probability).toFixed(1)} %`);
            return `${image}: ${shown.join(", ")}`;
          }),
        );
      } finally {
        await classifier.release();
      }
    });
}

async function predict(classifier: Classifier, image: string, top: number): Promise<Prediction> {
  const { imageShape, classNames } = classifier;
  const pixels = tensorFromData("float32", [1, ...imageShape], await readImage(image, imageShape));
  const probabilities = classifier.probabilities(await classifier.predict(pixels));
  const ranked = Array.from(probabilities, (probability, label) => ({
    name: classNames?.[label] ?? `class ${label}`,
    probability,
  })).sort((a, b) => b.probability - a.probability);
  return { image, classes: ranked.slice(0, top) };
}
