// For tests only: bad images and data sets.
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import sharp from "sharp";
import { writeTinyImages } from "../../../testing/tiny-images.js";
import { colourModel } from "../../../testing/tiny-networks.js";
import { type BadInputs, file } from "./bad-input.js";

const jpeg = (): Promise<Buffer> =>
  sharp({ create: { width: 64, height: 64, channels: 3, background: "#4a7" } })
    .jpeg()
    .toBuffer();

const model = (): void => writeFileSync("net.onnx", colourModel());

async function folder(change: (photo: Buffer) => void): Promise<void> {
  const photo = await jpeg();
  for (const name of ["cat", "dog"]) {
    mkdirSync(`photos/${name}`, { recursive: true });
    for (let index = 0; index < 4; index++) writeFileSync(`photos/${name}/${index}.jpg`, photo);
  }
  change(photo);
  model();
}

function idx(change: () => void): void {
  writeTinyImages("digits");
  change();
}

const evaluate = "eval net.onnx --data image-folder:photos";
const train =
  "train --network resnet8 --epochs 1 --run-folder run --data idx:digits --data-option classNames=[top,middle,bottom]";

export const badData: BadInputs = {
  title: "Images and data sets",
  inputs: [
    { what: "no such image", prepare: model, line: "predict net.onnx photo.jpg", exitCode: 2 },
    {
      what: "a JPEG cut off in the middle",
      prepare: async () => {
        model();
        const photo = await jpeg();
        writeFileSync("photo.jpg", photo.subarray(0, photo.length / 2));
      },
      line: "predict net.onnx photo.jpg",
      exitCode: 2,
    },
    {
      what: "no image at all",
      prepare: () => {
        model();
        writeFileSync("photo.jpg", "say cheese");
      },
      line: "predict net.onnx photo.jpg",
      exitCode: 2,
    },
    {
      what: "a damaged image in a folder",
      prepare: () => folder(() => writeFileSync("photos/cat/2.jpg", "say cheese")),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "a class without images",
      prepare: () => folder(() => mkdirSync("photos/bird")),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "no folders for classes",
      prepare: () => {
        model();
        mkdirSync("photos");
      },
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "another number of classes than the model has",
      prepare: () => folder(() => undefined),
      line: evaluate,
      exitCode: 2,
    },
    { what: "no data set of that name", prepare: model, line: "eval net.onnx --data cifar100", exitCode: 2 },
    {
      what: "a data set that is not here",
      prepare: model,
      line: "eval net.onnx --data cifar10-jpeg",
      exitCode: 2,
      environment: { DOVETAIL_DATA: "data" },
    },
    {
      what: "more images asked for than there are",
      prepare: () => idx(() => undefined),
      line: `${train} --data-option trainImagesPerClass=999`,
      exitCode: 2,
    },
    {
      what: "an unknown field of a data set",
      prepare: () => idx(() => undefined),
      line: `${train} --data-option trainImages=9`,
      exitCode: 2,
    },
    {
      what: "IDX file of another kind",
      prepare: () => idx(() => writeFileSync("digits/train-images-idx3-ubyte", "not IDX")),
      line: train,
      exitCode: 2,
    },
    {
      what: "IDX file cut off",
      prepare: () => idx(() => truncateSync("digits/train-images-idx3-ubyte", 500)),
      line: train,
      exitCode: 2,
    },
    {
      what: "fewer labels than images",
      prepare: () =>
        idx(() => writeFileSync("digits/train-labels-idx1-ubyte", readFileSync("digits/t10k-labels-idx1-ubyte"))),
      line: train,
      exitCode: 2,
    },
    {
      what: "a label beyond the classes",
      prepare: () => idx(() => undefined),
      line: `${train.replace(",middle", "")}`,
      exitCode: 2,
    },
    {
      what: "a damaged file of bundled images",
      prepare: file("mine.dvpack", "DVPACK?"),
      line: "train --network resnet8 --run-folder run --data bundled-cifar10:mine.dvpack",
      exitCode: 2,
    },
    {
      what: "`DOVETAIL_DATA` not set",
      prepare: () => idx(() => undefined),
      line: "data import mnist digits",
      exitCode: 2,
    },
  ],
};
