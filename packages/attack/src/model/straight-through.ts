import { attributeOf, type ElementType, type GraphBuilder, type Value } from "@dovetail/graph";
import { type Network, type NodeRewrite, rewriteGraph } from "@dovetail/models";

/** Smallest and largest code of the integer types that QuantizeLinear gives. */
const codes: Partial<Record<ElementType, readonly [number, number]>> = {
  uint4: [0, 15],
  int4: [-8, 7],
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65_535],
  int16: [-32_768, 32_767],
};

/**
 * The network with every rounding's gradient passed on unchanged. A file has lost the gradients that its quantizers were
 * trained with: there rounding has slope 0, and gradient attacks would find nothing. Rounds, Floors and Ceils become
 * straight through; QuantizeLinear and DequantizeLinear become float32 arithmetic on the same codes, where clipped values
 * have gradient 0. What the network computes stays, up to float32 rounding at ties.
 */
export function straightThroughRounding(network: Network): Network {
  const { graph, find } = rewriteGraph(network.graph, {
    nodes: { Round: passOn, Floor: passOn, Ceil: passOn, QuantizeLinear: quantize, DequantizeLinear: dequantize },
  });
  return { ...network, graph, logits: find(network.logits).name };
}

const passOn: NodeRewrite = ({ node, inputs, g }) => [
  g.straightThrough(inputs[0]!, (value) =>
    g.op(node.operator, [value], {}, { name: node.name, outputs: node.outputs }),
  ),
];

/** clip(round(x / scale) + zero point) as float32. */
const quantize: NodeRewrite = ({ node, inputs, g, keep }) => {
  const [x, scale, zeroPoint] = inputs;
  const range = codes[zeroPoint?.type.elementType ?? "uint8"];
  if (!range) return keep();
  const axis = attributeOf(node, "axis", "int", 1);
  const steps = g.div(x!, alongAxis(g, scale!, x!, axis));
  const rounded = g.straightThrough(steps, (value) => g.round(value));
  const code = zeroPoint ? g.add(rounded, alongAxis(g, g.cast(zeroPoint, "float32"), x!, axis)) : rounded;
  return [g.clip(code, range[0], range[1])];
};

/** (code − zero point) · scale; as it was for codes that are constants, through which no gradient flows. */
const dequantize: NodeRewrite = ({ node, inputs, g, keep }) => {
  const [code, scale, zeroPoint] = inputs;
  if (code!.type.elementType !== "float32") return keep();
  const axis = attributeOf(node, "axis", "int", 1);
  const centred = zeroPoint ? g.sub(code!, alongAxis(g, g.cast(zeroPoint, "float32"), code!, axis)) : code!;
  return [g.mul(centred, alongAxis(g, scale!, code!, axis))];
};

/** A scale or zero point of rank 0, or with one entry along an axis of x, in a shape that broadcasts over x. */
function alongAxis(g: GraphBuilder, values: Value, x: Value, axis: number): Value {
  if (values.type.shape?.length !== 1) return values;
  const rank = x.type.shape!.length;
  const place = axis < 0 ? axis + rank : axis;
  return g.reshape(
    values,
    Array.from({ length: rank }, (_, index) => (index === place ? -1 : 1)),
  );
}
