// What every form of CIFAR-10 has in common.

/** The classes in the order of their labels, 0 to 9. */
export const cifar10ClassNames: readonly string[] = [
  "airplane",
  "automobile",
  "bird",
  "cat",
  "deer",
  "dog",
  "frog",
  "horse",
  "ship",
  "truck",
];

export const cifar10Shape = [3, 32, 32] as const;

export const cifar10Citation =
  "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical report, University of Toronto, 2009";

export const cifar10Licence = "none stated; the authors ask to cite the report";
