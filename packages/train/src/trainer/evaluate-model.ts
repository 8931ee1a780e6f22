import { inputError } from "@dovetail/core";
import { openModel } from "@dovetail/runtime";
import { type EvaluateOptions, type Evaluation, evaluatePredictor } from "./evaluate.js";

/**
 * Accuracy and loss of an ONNX file as anyone else would measure them: its bytes, run by ONNX Runtime with its default
 * settings, add layers by kernels of ours. Its first output counts as logits (the loss is only meaningful if it is).
 * Throws an input error when the file does not have one input, or its first output has not as many columns as there are
 * classes.
 */
export async function evaluateModel(
  bytes: Uint8Array,
  options: Pick<EvaluateOptions, "dataset" | "part" | "batchSize" | "watch">,
): Promise<Evaluation> {
  const model = await openModel(bytes);
  const classCount = options.dataset.classNames.length;
  try {
    const [input, ...others] = model.inputNames;
    if (input === undefined || others.length > 0) {
      throw inputError("network_form", "inputs of the model", {
        expected: "one image",
        received: model.inputNames.join(", ") || "none",
      });
    }
    return await evaluatePredictor(
      {
        classCount,
        predict: async (images) => {
          const scores = (await model.run({ [input]: images }))[model.outputNames[0]!]!;
          if (scores.elementType === "float32" && scores.dimensions[1] === classCount)
            return scores.data as Float32Array;
          throw inputError("network_form", `output "${model.outputNames[0]}" of the model`, {
            expected: `float32[batch,${classCount}]`,
            received: `${scores.elementType}[${scores.dimensions.join(",")}]`,
          });
        },
      },
      options,
    );
  } finally {
    await model.release();
  }
}
