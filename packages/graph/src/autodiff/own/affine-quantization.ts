import { type OwnOperator, required } from "./own-operator.js";

/**
 * Uniform quantization: code · step + min with code = round(clip((X − min) / step + noise, 0, levels)), half to even;
 * X itself where `isQuantized` is false. Ties apart, the noise may be added before the division.
 *
 * Inputs: X; min, step and levels, which broadcast over X; isQuantized, bool of rank 0; noise like X, or absent.
 * `levels` is at most 65,535. Output: like X. It has no gradient rule: its users are regions with a gradient of their own.
 */
export const affineQuantization: OwnOperator = {
  shape: (context) => [context.input(0)],
  expand: (context) => {
    const { g, inputs } = context;
    const [x, min, step] = [required(context, 0), required(context, 1), required(context, 2)];
    const noise = inputs[5];
    const code = g.div(g.sub(x, min), step);
    const rounded = g.round(g.clip(noise ? g.add(code, noise) : code, 0, required(context, 3)));
    return [g.where(required(context, 4), g.add(g.mul(rounded, step), min), x)];
  },
};
