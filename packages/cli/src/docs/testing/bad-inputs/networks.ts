// For tests only: bad ONNX files.
import { mkdirSync, writeFileSync } from "node:fs";
import { encodePacked } from "@dovetail/compress";
import {
  type Graph,
  GraphBuilder,
  modelOf,
  type Tensor,
  tensor,
  writeModel,
  writeModelWithExternalData,
} from "@dovetail/graph";
import { eyerissLike, writeArchitecture } from "@dovetail/hardware";
import { tinyClassifier } from "../../../testing/tiny-networks.js";
import { type BadInputs, file } from "./bad-input.js";

const whole = tinyClassifier();
const packed = encodePacked({ tensors: new Map(), graph: new Uint8Array(), metadata: {} });
const evaluate = "eval net.onnx";
const map = "map --network net.onnx --arch eyeriss.yaml";

/** The same bytes with one range replaced. */
function damaged(from: number, bytes: readonly number[]): Uint8Array {
  const copy = whole.slice();
  copy.set(bytes, from);
  return copy;
}

type Build = (g: GraphBuilder) => void;

function network(build: Build, change: (graph: Graph) => Graph = (graph) => graph): () => void {
  return () => {
    const g = new GraphBuilder("net");
    build(g);
    writeFileSync("net.onnx", writeModel(modelOf(change(g.build()))));
    writeFileSync("eyeriss.yaml", writeArchitecture(eyerissLike()));
  };
}

const weights = (...dimensions: number[]): Tensor =>
  tensor("float32", dimensions, new Array(dimensions.reduce((product, size) => product * size, 1)).fill(0.1));

const convolution =
  (...weightShape: number[]): Build =>
  (g) => {
    const x = g.input("image", "float32", ["batch", 3, 8, 8]);
    g.output(g.conv(x, g.constant(weights(...weightShape), "weight"), undefined, {}), "y");
  };

/** Renames all operators of one name. */
const renamed =
  (from: string, to: string) =>
  (graph: Graph): Graph => ({
    ...graph,
    nodes: graph.nodes.map((node) => (node.operator === from ? { ...node, operator: to } : node)),
  });

/** Gives a constant other dimensions, as a damaged exporter might. */
const reshaped =
  (name: string, dimensions: readonly number[]) =>
  (graph: Graph): Graph => ({
    ...graph,
    initializers: new Map(
      [...graph.initializers].map(([key, value]) => [key, key === name ? weights(...dimensions) : value]),
    ),
    types: new Map(
      [...graph.types].map(([key, type]) => [key, key === name ? { ...type, shape: [...dimensions] } : type]),
    ),
  });

function externalModel(): { bytes: Uint8Array; externalData: Uint8Array } {
  const g = new GraphBuilder("net");
  convolution(16, 3, 3, 3)(g);
  return writeModelWithExternalData(modelOf(g.build()), { location: "net.data", minimumBytes: 16 });
}

export const badNetworks: BadInputs = {
  title: "Networks",
  inputs: [
    { what: "no such file", line: evaluate, exitCode: 2 },
    {
      what: "a folder without a network",
      prepare: () => mkdirSync("net.onnx"),
      line: evaluate,
      exitCode: 2,
    },
    { what: "an empty file", prepare: file("net.onnx", ""), line: evaluate, exitCode: 2 },
    {
      what: "a file of another kind",
      prepare: file("net.onnx", "PyTorch model, honestly\n"),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "cut off in the middle",
      prepare: file("net.onnx", whole.slice(0, whole.length / 2)),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "a damaged byte",
      prepare: file("net.onnx", damaged(2, [0xff, 0xff, 0xff, 0xff])),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "an operator that nobody knows",
      prepare: network(
        (g) => {
          const x = g.input("image", "float32", ["batch", 3, 8, 8]);
          g.output(g.globalAveragePool(x), "y");
        },
        renamed("GlobalAveragePool", "GlobalAverageSwim"),
      ),
      line: map,
      exitCode: 2,
    },
    {
      what: "shapes that do not fit",
      prepare: network(convolution(4, 3, 3, 3), reshaped("weight", [4, 5, 3, 3])),
      line: map,
      exitCode: 2,
    },
    {
      what: "a layer without output channels",
      prepare: network(convolution(0, 3, 3, 3)),
      line: map,
      exitCode: 2,
    },
    {
      what: "a kernel larger than its image",
      prepare: network(convolution(4, 3, 3, 3), reshaped("weight", [4, 3, 9, 9])),
      line: map,
      exitCode: 2,
    },
    {
      what: "no layer to map",
      prepare: network((g) => {
        const x = g.input("image", "float32", ["batch", 3, 8, 8]);
        g.output(g.relu(x), "y");
      }),
      line: map,
      exitCode: 2,
    },
    {
      what: "values in a file that is not there",
      prepare: () => writeFileSync("net.onnx", externalModel().bytes),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "values in a file that is too short",
      prepare: () => {
        const { bytes, externalData } = externalModel();
        writeFileSync("net.onnx", bytes);
        writeFileSync("net.data", externalData.subarray(0, 100));
      },
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "values outside of the model's folder",
      prepare: () => {
        const text = Buffer.from(externalModel().bytes).toString("latin1");
        writeFileSync("net.onnx", Buffer.from(text.replaceAll("net.data", "../t.bin"), "latin1"));
      },
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "two inputs",
      prepare: network((g) => {
        const a = g.input("a", "float32", ["batch", 3]);
        g.output(g.add(a, g.input("b", "float32", ["batch", 3])), "y");
      }),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "no score a class",
      prepare: network((g) => {
        const x = g.input("image", "float32", ["batch", 3, 8, 8]);
        g.output(g.relu(x), "y");
      }),
      line: evaluate,
      exitCode: 2,
    },
    {
      what: "an image of unknown size",
      prepare: network((g) => {
        const x = g.input("image", "float32", ["batch", 3, "height", "width"]);
        g.output(g.flatten(g.globalAveragePool(x)), "y");
      }),
      line: "predict net.onnx photo.png",
      exitCode: 2,
    },
    {
      what: "pruning without a rate",
      prepare: file("net.onnx", whole),
      line: "compress net.onnx --method prune",
      exitCode: 2,
    },
    {
      what: "weights that cannot be so small",
      prepare: file("net.onnx", whole),
      line: "compress net.onnx --rate 500 --quiet",
      exitCode: 2,
    },
    {
      what: "a packed network that is cut off",
      prepare: () => writeFileSync("net.packed", packed.subarray(0, 60)),
      line: "compress net.packed",
      exitCode: 2,
    },
    {
      what: "a packed file of a network that is not there",
      prepare: file("net.packed", packed),
      line: "compress net.packed",
      exitCode: 2,
    },
    { what: "nothing in the zoo by that name", line: "train --network resnet21", exitCode: 2 },
  ],
};
