// Builds a graph, adds its gradient, and fits a line with it in ONNX Runtime.
import { differentiate, GraphBuilder, tensor, tensorNumbers } from "@dovetail/graph";
import { createRuntime } from "@dovetail/runtime";

const g = new GraphBuilder("line");
const x = g.input("x", "float32", [5, 1]);
const y = g.input("y", "float32", [5, 1]);
const slope = g.input("slope", "float32", [1, 1]);
const offset = g.input("offset", "float32", [1]);
const error = g.sub(g.add(g.matMul(x, slope), offset), y);
const loss = g.reduceMean(g.mul(error, error), [0, 1]);

// The gradient is more nodes of the same graph; so is the step of gradient descent.
const [slopeGradient, offsetGradient] = differentiate(g, { loss, withRespectTo: [slope, offset] });
const learningRate = g.input("learningRate", "float32", []);
g.output(loss, "loss");
g.output(g.sub(slope, g.mul(learningRate, slopeGradient!)), "nextSlope");
g.output(g.sub(offset, g.mul(learningRate, offsetGradient!)), "nextOffset");
const graph = g.build();
console.log(`${graph.nodes.length} nodes`);

// State stays inside the runtime: after each run an output takes the place of the tensor that it is paired with.
const runtime = await createRuntime();
const state = runtime.createState(
  new Map([
    ["slope", tensor("float32", [1, 1], [0])],
    ["offset", tensor("float32", [1], [0])],
  ]),
);
const step = await runtime.compile(graph, { state, statePairs: { slope: "nextSlope", offset: "nextOffset" } });
const feeds = {
  x: tensor("float32", [5, 1], [0, 1, 2, 3, 4]),
  y: tensor("float32", [5, 1], [1, 3, 5, 7, 9]),
  learningRate: tensor("float32", [], [0.1]),
};
for (let count = 1; count <= 200; count++) {
  const results = await step.run(feeds);
  if (count === 1 || count === 200) console.log(`step ${count}: loss ${tensorNumbers(results.loss!)[0]!.toFixed(4)}`);
}
const [a, b] = [...state.snapshot().values()].map((value) => tensorNumbers(value)[0]!.toFixed(3));
console.log(`y = ${a}·x + ${b}`);
await runtime.release();
