import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandomStream, DovetailError } from "@dovetail/core";
import { tensorFromData, writeModel } from "@dovetail/graph";
import { eyerissLike, eyerissLikeDefaults } from "@dovetail/hardware";
import { exportModel, initializeParameters, type Network, resNet } from "@dovetail/models";
import { spreadOverPrecisions, switchableNetwork } from "@dovetail/quant";
import { createRuntime } from "@dovetail/runtime";
import { createPredictor } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { graphAtPrecision } from "./graph-at-precision.js";
import { bundleFiles, type PrecisionDelivery, writeBundle } from "./make-bundle.js";
import { type MappedPrecision, mapPrecision } from "./map-precision.js";
import { openBundle } from "./open-bundle.js";

const base: Network = resNet({ depth: 8, widths: [4, 4, 6], classCount: 4, pixels: { height: 8, width: 8 } });
const switchable = switchableNetwork(base, { bitWidths: [4, 8, 32] });
const random = createRandomStream(3);
const weights = new Map([
  ...initializeParameters(switchable.network, random),
  ...spreadOverPrecisions(switchable, initializeParameters(base, random)),
]);
const architecture = eyerissLike(eyerissLikeDefaults);
const images = tensorFromData(
  "float32",
  [5, 3, 8, 8],
  Float32Array.from({ length: 960 }, () => random.integer(256)),
);

const mapped = new Map<number, MappedPrecision>(
  switchable.bitWidths.map((bits) => [
    bits,
    mapPrecision({
      graph: graphAtPrecision(base, bits),
      architecture,
      clockHz: 200e6,
      evaluations: 60,
      random: createRandomStream(1),
    }),
  ]),
);

const accuracies = new Map([
  [4, 0.7],
  [8, 0.9],
  [32, 0.9],
]);

function delivery(bits: number): PrecisionDelivery {
  return {
    bits,
    onnx: writeModel(exportModel(switchable.network, weights, { scalars: switchable.setting(bits) })),
    form: "float",
    accuracyFraction: accuracies.get(bits)!,
    hardware: mapped.get(bits)!,
  };
}

const whole = {
  name: "tiny",
  classNames: ["a", "b", "c", "d"],
  imageShape: [3, 8, 8],
  precisions: [32, 4, 8].map(delivery),
  architecture,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dovetail-bundle-"));
  await writeBundle(join(folder, "bundle"), whole);
});
afterAll(() => rm(folder, { recursive: true }));

async function messageOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof DovetailError) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("mapping at a precision", () => {
  it("gives every layer a mapping, and less energy-delay product the fewer the bits", () => {
    const [four, eight, full] = [4, 8, 32].map((bits) => mapped.get(bits)!);
    const inner = four!.layers.filter(({ name }) => !/stem|classifier/.test(name));
    expect(inner.length).toBe(8);
    four!.layers.forEach(({ name, cost }, index) => {
      const wider = eight!.layers[index]!;
      expect(wider.name).toBe(name);
      const isSwitched = inner.some((layer) => layer.name === name);
      if (isSwitched) expect(cost.edpJouleCycles).toBeLessThan(wider.cost.edpJouleCycles);
      if (isSwitched) expect(wider.cost.edpJouleCycles).toBeLessThan(full!.layers[index]!.cost.edpJouleCycles);
    });
    expect(four!.cost.edpJouleSeconds).toBeLessThan(eight!.cost.edpJouleSeconds);
  });

  it("charges stem and classifier 32 bit, and what switches the precision's", () => {
    const bitsOf = (name: string): number[] =>
      mapped
        .get(4)!
        .layers.find((layer) => layer.name.includes(name))!
        .layer.problem.dataSpaces.filter((space) => ["Weights", "Inputs"].includes(space.name))
        .map(({ bitWidth }) => bitWidth);
    expect(bitsOf("stem")).toEqual([32, 32]);
    expect(bitsOf("classifier")).toEqual([32, 32]);
    expect(bitsOf("first")).toEqual([4, 4]);
  });
});

describe("a bundle", () => {
  it("predicts at each precision what the switchable network does", async () => {
    const runtime = await createRuntime({ threads: 1 });
    const bundle = await openBundle(join(folder, "bundle"), { threads: 1 });
    expect(bundle.precisionSet).toEqual([32]);
    for (const bits of switchable.bitWidths) {
      bundle.setPrecision(bits);
      expect(bundle.precisionSet).toEqual([bits]);
      const { network, setting } = switchable;
      const predictor = await createPredictor({ runtime, network, weights, scalars: setting(bits) });
      const expected = await predictor.predict(images);
      const logits = await bundle.predict(images);
      logits.forEach((value, index) => {
        expect(value).toBeCloseTo(expected[index]!, 3);
      });
      await predictor.release();
      const layers = mapped.get(bits)!.layers.map(({ name, mapping }) => ({ name, mapping }));
      expect(bundle.mappings(bits)).toEqual(layers);
    }
    expect(bundle.architecture).toEqual(architecture);
    await bundle.release();
    await runtime.release();
  });

  it("chooses the most accurate precision for an energy, of equals the cheapest", async () => {
    const bundle = await openBundle(join(folder, "bundle"), { threads: 1 });
    const energy = (bits: number): number => mapped.get(bits)!.cost.energyPj;
    expect(bundle.precisionWithin(Number.MAX_VALUE)).toBe(8);
    expect(bundle.precisionWithin(energy(8))).toBe(8);
    expect(bundle.precisionWithin(energy(8) - 1)).toBe(4);
    expect(await messageOf(() => bundle.precisionWithin(energy(4) / 2))).toContain("no precision of bundle");
    bundle.setPrecision(8);
    expect(bundle.expectedEnergyPj()).toBe(energy(8));
    expect(await messageOf(() => bundle.setPrecision(5))).toContain("expected one of 4, 8, 32, received 5");
    await bundle.release();
  });

  it("draws from a set, and costs the mean of the set's costs, without another file", async () => {
    const path = join(folder, "random");
    await writeBundle(path, { ...whole, randomSet: [4, 8] });
    const bundle = await openBundle(path, { threads: 1, random: createRandomStream(1) });
    expect(bundle.precisionSet).toEqual([4, 8]);
    const energy = (bits: number): number => mapped.get(bits)!.cost.energyPj;
    expect(bundle.expectedEnergyPj()).toBeCloseTo((energy(4) + energy(8)) / 2, 3);
    const drawn = new Set<string>();
    for (let round = 0; round < 20; round++) drawn.add((await bundle.predict(images)).join());
    expect(drawn.size).toBe(2);
    bundle.setPrecisionSet([4, 8, 32]);
    expect(bundle.expectedEnergyPj()).toBeCloseTo((energy(4) + energy(8) + energy(32)) / 3, 3);
    await bundle.release();
    const without = await openBundle(path, { threads: 1 });
    expect(without.precisionSet).toEqual([32]);
    expect(await messageOf(() => without.setPrecisionSet([4, 8]))).toContain("a stream of random numbers");
    await without.release();
  });
});

describe("a damaged bundle", () => {
  const damage = async (file: string, change: (text: string) => string): Promise<string> => {
    const path = join(folder, "damaged");
    await rm(path, { recursive: true, force: true });
    await writeBundle(path, whole);
    const place = join(path, file);
    await writeFile(place, change(await readFile(place, "latin1")), "latin1");
    return messageOf(() => openBundle(path, { threads: 1 }));
  };

  it("is refused, with the file and what is wrong with it", async () => {
    expect(await damage("precision-4/network.onnx", (text) => `${text}x`)).toContain("precision-4/network.onnx");
    expect(await damage("precision-8/mappings.yaml", (text) => text.replace("bits: 8", "bits: 4"))).toMatch(
      /mappings\.yaml: the file has changed/,
    );
    expect(await damage("bundle.json", (text) => text.replace("0.7", "0.8"))).toContain("the index has changed");
    expect(await damage("bundle.json", (text) => text.replace('"bits": 4', '"bits": 400'))).toMatch(
      /bundle\.json: precisions\[0\]\.bits/,
    );
    expect(await damage("bundle.json", () => "{")).toContain("not JSON");
  });

  it("leads nowhere outside its folder", () => {
    const outside = [...bundleFiles(whole).keys()].filter((file) => file.startsWith("/") || file.includes(".."));
    expect(outside).toEqual([]);
  });
});
