// For tests only: bad command lines.
import type { BadInputs } from "./bad-input.js";

export const badCommandLines: BadInputs = {
  title: "Command lines",
  inputs: [
    { what: "unknown command", line: "serch", exitCode: 2 },
    { what: "unknown option", line: "search --recipee tiny", exitCode: 2 },
    { what: "an option without its value", line: "search tiny --seed", exitCode: 2 },
    { what: "a number that is none", line: "train --network resnet8 --epochs many", exitCode: 2 },
    { what: "a choice that there is not", line: "train --network resnet8 --schedule linear", exitCode: 2 },
    { what: "an argument that is missing", line: "predict", exitCode: 2 },
    { what: "an option that is missing", line: "map --network net.onnx", exitCode: 2 },
    { what: "an attack that there is not", line: "attack net.onnx --attacks pgd,apgd", exitCode: 2 },
    { what: "a fraction that is none", line: "attack net.onnx --eps 8/0", exitCode: 2 },
    { what: "precisions that are none", line: "attack net.onnx --set 16..4", exitCode: 2 },
    {
      what: "options that do not go together",
      line: "cost --arch a.yaml --problem p.yaml --network net.onnx",
      exitCode: 2,
    },
  ],
};
