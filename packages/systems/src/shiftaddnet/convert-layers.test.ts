import { createRandomStream } from "@dovetail/core";
import { readModel, type Tensor, tensorNumbers, writeModel } from "@dovetail/graph";
import {
  exportModel,
  foldBatchNorms,
  initializeParameters,
  type Network,
  networkOfModel,
  parameterCount,
  resNet,
  zooNetwork,
} from "@dovetail/models";
import { createRuntime } from "@dovetail/runtime";
import { evaluate, loadDataset, sgd } from "@dovetail/train";
import { expect, it } from "vitest";
import { convertLayers, type LayerForm } from "./convert-layers.js";
import { shiftAddMethods } from "./methods.js";
import { countOperations, isAddLayer, shiftAddNetwork } from "./networks.js";
import { prepareShiftAdd } from "./prepare.js";

const forms: readonly LayerForm[] = ["shift", "add", "shiftAdd"];
const weightsOf = (network: Network): Map<string, Tensor> => initializeParameters(network, createRandomStream(1));
const operatorsOf = ({ graph }: Network): string[] => graph.nodes.map(({ operator }) => operator);

it.each(forms)("makes of ResNet-20 the published form of %s, but for the linear classifier", (form) => {
  const own = convertLayers(resNet({ depth: 20 }), form);
  const published = shiftAddNetwork(form, { depth: 20 });
  expect(countOperations(own)).toEqual(countOperations(published));
  const ofBlocks = ({ graph }: Network): string[] =>
    graph.nodes.filter(({ outputs }) => outputs[0]!.startsWith("stage")).map(({ operator }) => operator);
  expect(ofBlocks(own)).toEqual(ofBlocks(published));
  const sizes = ({ parameters }: Network): string[] =>
    parameters
      .filter(({ name }) => name.startsWith("stage"))
      .map(({ name, shape, role }) => `${name.replace(".shift.", ".")} ${shape} ${role}`)
      .sort();
  expect(sizes(own)).toEqual(sizes(published));
});

it("leaves depth-wise, first and linear layers out of additions", () => {
  const plain = zooNetwork("mobilenet-v2", { classCount: 10 });
  const depthwise = plain.graph.nodes.filter(
    ({ operator, attributes: { group } }) => operator === "Conv" && group?.kind === "int" && group.value > 1,
  );
  expect(depthwise.length).toBeGreaterThan(10);
  const network = convertLayers(plain, "add");
  const { nodes } = network.graph;
  expect(nodes.filter(({ operator }) => operator === "Conv").length).toBe(depthwise.length + 1);
  expect(nodes.filter(({ operator }) => operator === "Gemm").length).toBe(1);
  expect(parameterCount(network)).toBe(parameterCount(plain));
});

it("puts a batch normalization behind add layers of a network whose own have been folded away", () => {
  const plain = resNet({ depth: 8, pixels: { height: 8, width: 8 } });
  const folded = foldBatchNorms(plain, weightsOf(plain));
  const { network: imported } = networkOfModel(readModel(writeModel(exportModel(folded.network, folded.weights))));
  expect(operatorsOf(imported)).not.toContain("BatchNormalization");
  for (const form of ["add", "shiftAdd"] as const) {
    const network = convertLayers(imported, form);
    const adds = network.graph.nodes.filter(isAddLayer);
    expect(adds.length).toBe(8);
    const readers = adds.map(({ outputs }) =>
      network.graph.nodes.filter(({ inputs }) => inputs.includes(outputs[0]!)).map(({ operator }) => operator),
    );
    expect(readers).toEqual(adds.map(() => ["BatchNormalization"]));
    const biases = network.parameters.filter(({ role }) => role === "bias").length;
    // Stem and classifier, and behind shifts all others.
    expect(biases).toBe(form === "add" ? 2 : 10);
    const declared = network.graph.inputs.map(({ name }) => name).filter((name) => name !== network.image);
    expect(declared.sort()).toEqual(network.parameters.map(({ name }) => name).sort());
  }
});

it("refuses networks that have add layers, or no layers for it", () => {
  const added = convertLayers(resNet({ depth: 8 }), "add");
  for (const form of forms) {
    expect(() => convertLayers(added, form)).toThrow('network "resnet8" has add layers already');
  }
  const frozen = { ...resNet({ depth: 8 }), parameters: [] };
  for (const form of forms) expect(() => convertLayers(frozen, form)).toThrow("no layers for this method");
});

it("begins with the powers of two that are nearest to trained weights, and delivers the network that was trained", async () => {
  const dataset = await loadDataset({
    kind: "bundled-cifar10",
    trainImagesPerClass: 1,
    validationImagesPerClass: 0,
    testImagesPerClass: 4,
  });
  const runtime = await createRuntime({ threads: 1 });
  const plain = resNet({ depth: 8 });
  const trained = weightsOf(plain);
  for (const { shape } of shiftAddMethods) {
    const kind = shape.kind.value;
    const method = shiftAddMethods.find((schema) => schema.shape.kind.value === kind)!.parse({ kind });
    const prepared = prepareShiftAdd(plain, method, { trained, optimizer: sgd() });
    const weights = new Map([...weightsOf(prepared.network), ...prepared.weights]);
    const delivered = await prepared.delivered(weights, runtime);
    const first = tensorNumbers(trained.get("stem.conv.weight")!);
    const shifted = tensorNumbers(delivered.weights.get("stem.conv.weight")!);
    shifted.forEach((weight, index) => {
      const expected = kind === "addernet" ? first[index]! : nearestPower(first[index]!);
      expect(weight).toBe(expected);
    });
    // The exported graph and the trained one agree on the images' logits.
    const part = { runtime, dataset, part: "test" } as const;
    const [own, exported] = [
      await evaluate({ ...part, network: prepared.network, weights }),
      await evaluate({ ...part, ...delivered }),
    ];
    expect(exported.loss).toBeCloseTo(own.loss, 4);
    expect(countOperations(delivered.network)).toEqual(countOperations(prepared.network));
  }
  await runtime.release();
});

const nearestPower = (weight: number): number =>
  Math.sign(weight) * 2 ** Math.min(0, Math.max(-14, Math.round(Math.log2(Math.abs(weight)))));
