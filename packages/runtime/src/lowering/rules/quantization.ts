// Uniform quantization of large tensors by ONNX Runtime's own integer kernels, which divide, round and saturate in one
// pass; where nothing is quantized, nothing is computed.

import { elementCount, isStatic } from "@dovetail/graph";
import type { LoweringContext, LoweringRule } from "../rule.js";

/** Below this the kernels are not worth a subgraph. */
const smallestTensor = 4096;

const integerDomain = { domain: "com.microsoft" } as const;
const largestCode = 65_535;

/**
 * If (quantized) (X − min + noise · step, not below 0) → 16-bit codes → code · step + min, else X. The zero point is
 * 65,535 − levels, so that what lies above the range saturates at its upper end.
 */
const affineQuantization: LoweringRule = (context) => {
  const { node, graph, emitter, forms } = context;
  const [x, min, step, levels, isQuantized, noise = ""] = node.inputs as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  const shape = graph.types.get(x)?.shape;
  const scalars = [min, step, levels].every((name) => graph.types.get(name)?.shape?.length === 0);
  if (!scalars || !isStatic(shape) || elementCount(shape) < smallestTensor) return false;
  const isBlocked = isWholeBlocks(context, x);
  const form = isBlocked ? forms.blocked : forms.plain;
  const zeroPoint = memoized(context, `zeroPoint:${levels}`, () =>
    emitter.op("Cast", [emitter.op("Sub", [emitter.floats([], [largestCode]), forms.plain(levels)])], { to: uint16 }),
  );
  const outer = {
    x: form(x),
    min: forms.plain(min),
    step: forms.plain(step),
    noise: noise === "" ? "" : form(noise),
    zeroPoint,
  };
  const output = emitter.branch(
    forms.plain(isQuantized),
    (inner) => {
      let value = inner.op("Sub", [outer.x, outer.min]);
      if (outer.noise !== "") value = inner.op("Add", [inner.op("Mul", [outer.noise, outer.step]), value]);
      const codes = inner.op(
        "QuantizeLinear",
        [inner.op("Relu", [value]), outer.step, outer.zeroPoint],
        {},
        integerDomain,
      );
      const scaled = inner.op("DequantizeLinear", [codes, outer.step, outer.zeroPoint], {}, integerDomain);
      return inner.op("Add", [scaled, outer.min]);
    },
    (inner) => inner.op("Identity", [outer.x]),
  );
  if (isBlocked) forms.setBlocked(node.outputs[0]!, output);
  else forms.setPlain(node.outputs[0]!, output);
  return true;
};

/**
 * Blocked, without filling: that must stay zero, which quantization does not promise, and would count among the values of
 * which the smallest and largest are sought.
 */
function isWholeBlocks({ forms }: LoweringContext, x: string): boolean {
  const image = forms.imageShape(x);
  return image !== undefined && image.channels === image.paddedChannels && forms.isBlocked(x);
}

/** The smallest or largest of all values does not depend on their order. */
const extreme: LoweringRule = (context) => {
  const { node, graph, emitter, forms } = context;
  const [x] = node.inputs as [string];
  if (graph.types.get(node.outputs[0]!)?.shape?.length !== 0 || !isWholeBlocks(context, x)) return false;
  forms.setPlain(node.outputs[0]!, emitter.op(node.operator, [forms.blocked(x)], { keepdims: 0 }));
  return true;
};

/** ONNX's number of the element type. */
const uint16 = 4;

function memoized({ memo }: LoweringContext, key: string, make: () => string): string {
  let known = memo.get(key);
  if (known === undefined) {
    known = make();
    memo.set(key, known);
  }
  return known;
}

export const quantizationRules = {
  "ai.dovetail.AffineQuantization": affineQuantization,
  ReduceMin: extreme,
  ReduceMax: extreme,
} as const;
