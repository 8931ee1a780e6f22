import { readFileSync } from "node:fs";
import { differentiate, type Graph, GraphBuilder, lstm, type Tensor, tensor, type Value } from "@dovetail/graph";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRuntime, type Runtime } from "../segments/runtime.js";
import { loadTensor, type StoredTensor } from "./testing/cases.js";
import { compileForTest, relativeError } from "./testing/execute.js";

// Whole networks in training against PyTorch (oracles/gradients.py): nothing is put out but the loss and the gradients.

interface NetworkCase {
  readonly inputs: StoredTensor;
  readonly labels: StoredTensor;
  readonly parameters: Readonly<Record<string, StoredTensor>>;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, StoredTensor>>;
}

const cases: Readonly<Record<string, NetworkCase>> = JSON.parse(
  readFileSync(new URL("networks.golden.json", import.meta.url), "utf8"),
);

type Parameters = (name: string) => Value;

/** Convolution without bias and batch normalization with batch statistics. */
function unit(g: GraphBuilder, p: Parameters, name: string, x: Value, stride = 1, padding = 1, group = 1): Value {
  const pads = [padding, padding, padding, padding];
  const y = g.conv(x, p(`${name}.weight`), undefined, { strides: [stride, stride], pads, group });
  const inputs = [y, p(`${name}.scale`), p(`${name}.bias`)];
  return g.ownNode("BatchNormalizationTraining", inputs, {}, { outputs: 3 })[0]!;
}

function classifier(g: GraphBuilder, p: Parameters, features: Value): Value {
  return g.gemm(features, p("classifier.weight"), p("classifier.bias"), { transB: 1 });
}

const networks: Readonly<Record<string, (g: GraphBuilder, p: Parameters, x: Value) => Value>> = {
  resnet: (g, p, x) => {
    const stem = g.relu(unit(g, p, "stem", x));
    const pooled = g.maxPool(stem, [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] });
    const first = g.relu(g.add(unit(g, p, "first.2", g.relu(unit(g, p, "first.1", pooled))), pooled));
    const second = unit(g, p, "second.2", g.relu(unit(g, p, "second.1", first, 2)));
    const last = g.relu(g.add(second, unit(g, p, "second.shortcut", first, 2, 0)));
    return classifier(g, p, g.flatten(g.globalAveragePool(last)));
  },
  mobilenet: (g, p, x) => {
    const relu6 = (value: Value): Value => g.clip(value, 0, 6);
    const inverted = (value: Value, name: string, stride: number): Value => {
      const expanded = relu6(unit(g, p, `${name}.expand`, value, 1, 0));
      const filtered = relu6(unit(g, p, `${name}.depthwise`, expanded, stride, 1, 16));
      const projected = unit(g, p, `${name}.project`, filtered, 1, 0);
      return stride === 1 ? g.add(value, projected) : projected;
    };
    const stem = relu6(unit(g, p, "stem", x, 2));
    const body = inverted(inverted(stem, "first", 2), "second", 1);
    const head = relu6(unit(g, p, "head", body, 1, 0));
    return classifier(g, p, g.reduceMean(head, [2, 3]));
  },
  lstm: (g, p, tokens) => {
    const { hidden } = lstm(g, g.gather(p("embedding"), tokens), {
      inputWeight: p("w"),
      recurrentWeight: p("r"),
      bias: g.concat([p("wb"), p("rb")], 1),
    });
    return classifier(g, p, g.squeeze(hidden, [0]));
  },
};

/** Mean cross-entropy and its gradients to all parameters; the number of images is known at run time only. */
function trainingGraph(name: string, { parameters, inputs }: NetworkCase): Graph {
  const g = new GraphBuilder(name);
  const values = new Map<string, Value>();
  for (const [key, { shape }] of Object.entries(parameters)) values.set(key, g.input(key, "float32", shape));
  const batchAxis = name === "lstm" ? 1 : 0;
  const x = g.input(
    "x",
    inputs.type,
    inputs.shape.map((size, axis) => (axis === batchAxis ? "batch" : size)),
  );
  const logits = networks[name]!(g, (key) => values.get(key)!, x);
  const labels = g.input("labels", "int64", ["batch"]);
  const picked = g.op("GatherElements", [g.logSoftmax(logits), g.unsqueeze(labels, [1])], { axis: 1 });
  const loss = g.neg(g.op("ReduceMean", [picked], { keepdims: 0 }));
  const gradients = differentiate(g, { loss, withRespectTo: [...values.values()] });
  g.output(loss, "loss");
  [...values.keys()].forEach((key, index) => {
    g.output(gradients[index]!, `gradient/${key}`);
  });
  return g.build();
}

function compare(networkCase: NetworkCase, results: Readonly<Record<string, Tensor>>): void {
  expect((results.loss!.data as Float32Array)[0]).toBeCloseTo(networkCase.loss, 5);
  const expected = Object.entries(networkCase.gradients).map(
    ([key, stored]) => [key, loadTensor(stored).data as Float32Array] as const,
  );
  const total = Math.hypot(...expected.map(([, gradient]) => Math.hypot(...gradient)));
  for (const [key, gradient] of expected) {
    const actual = results[`gradient/${key}`]!.data as Float32Array;
    const norm = Math.hypot(...gradient);
    // A bias in front of another batch normalization has gradient zero but for rounding.
    if (norm < 1e-9 * total) expect(Math.hypot(...actual), key).toBeLessThan(1e-6 * total);
    else expect(relativeError(actual, gradient), key).toBeLessThan(1e-4);
  }
}

function feedsOf({ parameters, inputs, labels }: NetworkCase): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = { x: loadTensor(inputs), labels: loadTensor(labels) };
  for (const [key, stored] of Object.entries(parameters)) feeds[key] = loadTensor(stored);
  return feeds;
}

describe.each(Object.entries(cases))("%s", (name, networkCase) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await createRuntime({ threads: 1 });
  });
  afterAll(() => runtime.release());

  it("has PyTorch's gradients in standard operators", async () => {
    const run = await compileForTest(trainingGraph(name, networkCase));
    compare(networkCase, await run(feedsOf(networkCase)));
  });

  it("has PyTorch's gradients as lowered for this processor, in every one of several runs", async () => {
    const segment = await runtime.compile(trainingGraph(name, networkCase));
    for (let repetition = 0; repetition < 3; repetition++) {
      compare(networkCase, await segment.run(feedsOf(networkCase)));
    }
  });

  it("has a gradient that a small step along it lowers the loss by", async () => {
    const run = await compileForTest(trainingGraph(name, networkCase));
    const feeds = feedsOf(networkCase);
    const before = await run(feeds);
    const norm = Math.hypot(
      ...Object.keys(networkCase.parameters).flatMap((key) => [...(before[`gradient/${key}`]!.data as Float32Array)]),
    );
    const step = 1e-3 / norm;
    for (const key of Object.keys(networkCase.parameters)) {
      const gradient = before[`gradient/${key}`]!.data as Float32Array;
      const { dimensions, data } = feeds[key]!;
      const moved = (data as Float32Array).map((value, index) => value - step * gradient[index]!);
      feeds[key] = tensor("float32", dimensions, moved);
    }
    const after = await run(feeds);
    const fall = (before.loss!.data as Float32Array)[0]! - (after.loss!.data as Float32Array)[0]!;
    expect(fall).toBeGreaterThan(0.9 * 1e-3 * norm);
    expect(fall).toBeLessThan(1.1 * 1e-3 * norm);
  });
});
