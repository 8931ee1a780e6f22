import { createRandomStream } from "@dovetail/core";
import { type Tensor, tensorFromData } from "@dovetail/graph";
import { countMacs, initializeParameters } from "@dovetail/models";
import { fbnetMacs } from "@dovetail/nasbench";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { type Checkpoint, createPredictor } from "@dovetail/train";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stripes } from "../testing/stripes.js";
import {
  fbnetOf,
  fbnetSpace,
  fbnetSupernet,
  fixedMacs,
  operatorMacs,
  operatorNames,
  operatorShares,
} from "./fbnet-space.js";
import { type SpNasOptions, searchNetwork } from "./sp-nas.js";

const space = fbnetSpace({
  pixels: { height: 8, width: 8 },
  classCount: 4,
  stemChannels: 4,
  counts: [1, 1],
  channels: [4, 6],
  strides: [1, 2],
  headerChannels: 8,
});

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

describe("FBNet's space for small images", () => {
  it("is the published one by default", () => {
    const published = fbnetSpace({ classCount: 100 });
    expect(published.positions.length).toBe(22);
    const random = createRandomStream(1);
    for (let draw = 0; draw < 3; draw++) {
      const choices = published.positions.map(() => random.integer(operatorNames.length));
      expect(countMacs(fbnetOf(published, choices).graph)).toBe(fbnetMacs(choices, "cifar100"));
    }
  });

  it("counts multiply-accumulates operator by operator", () => {
    for (const of of [space, fbnetSpace()]) {
      const macs = operatorMacs(of);
      const random = createRandomStream(2);
      for (let draw = 0; draw < 4; draw++) {
        const choices = of.positions.map(() => random.integer(operatorNames.length));
        const sum = choices.reduce((total, choice, position) => total + macs[position]![choice]!, fixedMacs(of));
        expect(sum).toBe(countMacs(fbnetOf(of, choices).graph));
      }
    }
  });

  it("has a supernet that, with all of a share on one operator, is that network", async () => {
    const choices = [operatorNames.indexOf("k3_e1_g2"), operatorNames.indexOf("k5_e3")];
    const supernet = fbnetSupernet(space);
    const weights = initializeParameters(supernet, createRandomStream(4));
    const shares = space.positions.flatMap((_, position) =>
      operatorNames.map((_, index) => +(index === choices[position])),
    );
    weights.set(operatorShares, tensorFromData("float32", [2, operatorNames.length], Float32Array.from(shares)));
    const network = fbnetOf(space, choices);
    const own = new Map<string, Tensor>(
      network.parameters.map(({ name }) => {
        const [, position, rest] = /^block(\d+)\.(.*)$/.exec(name) ?? [];
        const source =
          position === undefined ? name : `block${position}.${operatorNames[choices[Number(position)]!]}.${rest}`;
        return [name, weights.get(source)!];
      }),
    );
    const random = createRandomStream(5);
    const images = tensorFromData(
      "float32",
      [3, 3, 8, 8],
      Float32Array.from({ length: 576 }, () => random.integer(256)),
    );
    const logits: Float32Array[] = [];
    for (const [of, values] of [
      [supernet, weights],
      [network, own],
    ] as const) {
      const predictor = await createPredictor({ runtime, network: of, weights: values });
      logits.push(await predictor.predict(images));
      await predictor.release();
    }
    logits[0]!.forEach((value, index) => {
      expect(value).toBeCloseTo(logits[1]![index]!, 4);
    });
  });
});

describe("SP-NAS", () => {
  const options = (changes: Partial<SpNasOptions> = {}): SpNasOptions => ({
    runtime,
    dataset: stripes({ train: 32, validation: 32, test: 16 }),
    space,
    bitWidths: [4, 8],
    batchSize: 16,
    epochs: 2,
    macsWindow: [0, 1],
    operatorLearningRate: 0.1,
    random: createRandomStream(6),
    ...changes,
  });

  it("prefers cheap operators where only the cost counts, and doubles λ while the network is too large", async () => {
    const { choices, operators, macs, history } = await searchNetwork(
      options({ costWeight: 1, epochs: 6, weightLearningRate: 0.1 }),
    );
    expect(operators).toEqual(choices.map((choice) => operatorNames[choice]));
    expect(macs).toBe(countMacs(fbnetOf(space, choices).graph));
    // Adam steps by signs: what lies below the mean rises alike, so that the cheapest need not be the likeliest.
    operatorMacs(space).forEach((costs, position) => {
      const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
      expect(costs[choices[position]!]).toBeLessThan(mean);
    });
    expect(history.map(({ costWeight }) => costWeight)).toEqual([1, 2, 4, 8, 16, 32]);
    expect(history.at(-1)!.trainingLoss).toBeLessThan(history[0]!.trainingLoss);
  });

  it("halves λ while the network is too small, and keeps it inside the window", async () => {
    const small = await searchNetwork(options({ costWeight: 1e-9, macsWindow: [1e12, 2e12] }));
    expect(small.history.map(({ costWeight }) => costWeight)).toEqual([1e-9, 5e-10]);
    const inside = await searchNetwork(options({ costWeight: 1e-9, macsWindow: [0, 1e12], epochs: 1 }));
    expect(inside.history.map(({ costWeight }) => costWeight)).toEqual([1e-9]);
  });

  it("goes on after an epoch to the same bits", async () => {
    const checkpoints: Checkpoint[] = [];
    const whole = await searchNetwork(
      options({ onCheckpoint: async (checkpoint) => void checkpoints.push(checkpoint) }),
    );
    expect(checkpoints.length).toBe(2);
    const resume = { ...checkpoints[0]!, state: JSON.parse(JSON.stringify(checkpoints[0]!.state)) };
    expect(await searchNetwork(options({ resume }))).toEqual(whole);
  });
});
