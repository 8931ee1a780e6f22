import { createRandomStream } from "@dovetail/core";
import { type Graph, GraphBuilder, modelOf, scalar, tensor, type Value } from "@dovetail/graph";
import { networkOfModel } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";
import { marginLoss } from "../losses/losses.js";
import { openDefence } from "./defence.js";
import { createAnswer } from "./oracle.js";
import { straightThroughRounding } from "./straight-through.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const random = createRandomStream(3);
const drawn = (...shape: number[]) =>
  tensor(
    "float32",
    shape,
    Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => 2 * random.uniform() - 1),
  );
const filter = drawn(4, 3, 3, 3);
const matrix = drawn(64, 3);

/** A convolution and a product, whose input and result go through `round`. */
function networkWith(round: (g: GraphBuilder, x: Value, axisScale: boolean) => Value): Graph {
  const g = new GraphBuilder("rounded");
  const image = g.input("image", "float32", ["batch", 3, 4, 4]);
  const x = round(g, g.mul(image, 1 / 32), false);
  const y = round(g, g.relu(g.conv(x, g.constant(filter, "filter"), undefined, { pads: [1, 1, 1, 1] })), true);
  g.output(g.matMul(g.flatten(y), g.constant(matrix, "matrix")), "logits");
  return g.build();
}

/** A QuantizeLinear and its DequantizeLinear, with a scale for the tensor or for each of 4 channels. */
function quantized(g: GraphBuilder, x: Value, axisScale: boolean): Value {
  const scale = g.constant(axisScale ? tensor("float32", [4], [0.25, 0.5, 0.125, 0.25]) : scalar(0.25));
  const zeroPoint = g.constant(axisScale ? tensor("uint8", [4], [3, 0, 1, 0]) : scalar(5, "uint8"));
  const codes = g.op("QuantizeLinear", [x, scale, zeroPoint], { axis: 1 });
  return g.op("DequantizeLinear", [codes, scale, zeroPoint], { axis: 1 });
}

const count = 6;
const examples = {
  images: Float32Array.from({ length: count * 48 }, () => random.uniform()),
  labels: Int32Array.from({ length: count }, (_, index) => index % 3),
};

async function answerOf(graph: Graph, passOn: boolean) {
  const { network, weights } = networkOfModel(modelOf(graph));
  const of = passOn ? straightThroughRounding(network) : network;
  const defence = openDefence({ runtime, network: of, weights, batchSize: 8 });
  const answer = createAnswer(count, 48);
  if (passOn) await defence.oracle.differentiate(examples, marginLoss, answer);
  else await defence.oracle.evaluate(examples, marginLoss, answer);
  await defence.release();
  return answer;
}

it("computes what the file computes, and passes gradients on as if nothing were rounded", async () => {
  const [file, passing] = [await answerOf(networkWith(quantized), false), await answerOf(networkWith(quantized), true)];
  for (const [row, loss] of file.losses.entries()) expect(passing.losses[row]).toBeCloseTo(loss, 4);
  expect(passing.gradients.filter((value) => value !== 0).length).toBeGreaterThan(200);
});

it("passes on through Round alike", async () => {
  const rounding = (g: GraphBuilder, x: Value) => g.mul(g.round(g.mul(x, 4)), 0.25);
  const [file, passing] = [await answerOf(networkWith(rounding), false), await answerOf(networkWith(rounding), true)];
  for (const [row, loss] of file.losses.entries()) expect(passing.losses[row]).toBeCloseTo(loss, 4);
  // A gradient that is straight through is that of the network without rounding, where signs of the ReLU agree.
  const plain = await answerOf(
    networkWith((_, x) => x),
    true,
  );
  let same = 0;
  for (const [place, value] of plain.gradients.entries()) {
    if (Math.abs(passing.gradients[place]! - value) <= 1e-5) same += 1;
  }
  expect(same / plain.gradients.length).toBeGreaterThan(0.4);
});

it("would be 0 without it", async () => {
  const rounding = (g: GraphBuilder, x: Value) => g.round(x);
  const { network, weights } = networkOfModel(modelOf(networkWith(rounding)));
  const defence = openDefence({ runtime, network, weights, batchSize: 8 });
  const answer = createAnswer(count, 48);
  await defence.oracle.differentiate(examples, marginLoss, answer);
  expect(answer.gradients.every((value) => value === 0)).toBe(true);
  await defence.release();
});
