import { createRandomStream } from "@dovetail/core";
import { GraphBuilder } from "@dovetail/graph";
import type { Network } from "@dovetail/models";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Defence, openDefence } from "../model/defence.js";
import type { ProtocolOptions } from "../protocols/transfer.js";
import { labelled, randomExamples, switchedNetwork, type Tiny, tinyNetwork } from "../testing/tiny-defence.js";
import { lossSurface } from "./loss-surface.js";
import { isFalling, maskingChecklist, maskingCheckNames } from "./masking.js";
import { measureDefence } from "./measure.js";
import { judgeRules, type RuleEvidence, type RuleName, ruleNames } from "./rules.js";

let runtime: Runtime;
const opened: Defence[] = [];
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

async function optionsFor(
  tiny: Tiny,
  variants?: Parameters<typeof openDefence>[0]["variants"],
): Promise<ProtocolOptions> {
  const defence = openDefence({ runtime, ...tiny, variants, batchSize: 16 });
  opened.push(defence);
  const classCount = tiny.network.classCount;
  const random = randomExamples(24, { classCount });
  const examples = labelled(random, await defence.oracle.logits(random.images));
  return { defence, examples, epsilon: 0.02, random: createRandomStream(1) };
}

/** The tiny network whose logits go through something before they come out. */
function changed(
  change: (g: GraphBuilder, logits: ReturnType<GraphBuilder["value"]>) => ReturnType<GraphBuilder["value"]>,
): Tiny {
  const { network, weights } = tinyNetwork();
  const g = GraphBuilder.from({ ...network.graph, outputs: [] });
  g.output(change(g, g.value(network.logits)), "changed");
  const other: Network = { ...network, graph: g.build(), logits: "changed" };
  return { network: other, weights };
}

const evidence = async (options: ProtocolOptions, more: Partial<RuleEvidence> = {}): Promise<RuleEvidence> => ({
  measures: await measureDefence(options),
  images: 24,
  testImages: 24,
  epsilon: 8 / 255,
  autoAttack: {
    images: new Float32Array(),
    rightShares: new Float64Array(),
    cleanAccuracyFraction: 0.9,
    stages: [
      { attack: "apgd-ce", robustAccuracyFraction: 0.5 },
      { attack: "square", robustAccuracyFraction: 0.5 },
    ],
    leftOut: [],
  },
  adaptiveAccuracyFraction: 0.5,
  ...more,
});

/** Names of the lines in a state. */
const namesOf = (found: RuleEvidence, state: string): RuleName[] =>
  judgeRules(found).flatMap((line) => (line.state === state ? [line.name] : []));

describe("rules and flags", () => {
  it("have a line each, with a figure or why there is none", async () => {
    const lines = judgeRules(await evidence(await optionsFor(tinyNetwork({ classCount: 10 }))));
    expect(lines.map(({ name }) => name)).toEqual([...ruleNames]);
    for (const { figure, state, text } of lines) {
      expect(text.length).toBeGreaterThan(5);
      if (state !== "not applicable") expect(Number.isFinite(figure)).toBe(true);
    }
    expect(ruleNames.filter((name) => name.startsWith("robustbench")).length).toBe(8);
    // AutoAttack's checks: randomized, range of the output, zero gradients, Square, dynamic, classes.
    expect(ruleNames.filter((name) => name.startsWith("autoattack")).length).toBe(6);
  });

  it("are all met by a plain network that is evaluated by the book", async () => {
    const found = await evidence(await optionsFor(tinyNetwork({ classCount: 10 })));
    expect(namesOf(found, "met")).toEqual([...ruleNames]);
  });

  it("raise what a defence that draws breaks", async () => {
    const variants = [0, 8].map((bend) => ({ name: `${bend}`, scalars: { bend }, probability: 0.5 }));
    const found = await evidence(await optionsFor(switchedNetwork({ classCount: 10 }), variants));
    expect(found.measures.drawDistance).toBeGreaterThan(0.01);
    expect(namesOf(found, "raised")).toEqual([
      "robustbench: deterministic forward pass",
      "robustbench: AutoAttack's standard version",
      "autoattack: randomized",
    ]);
  });

  it("raise a softmax, and gradients of 0", async () => {
    const softmax = await evidence(await optionsFor(changed((g, logits) => g.softmax(logits, 1))));
    expect(namesOf(softmax, "raised")).toContain("autoattack: softmax output");
    const rounded = await evidence(await optionsFor(changed((g, logits) => g.stopGradient(logits))));
    expect(rounded.measures).toMatchObject({ zeroGradients: 24, zeroGradientsOfDlr: 24 });
    expect(namesOf(rounded, "raised")).toEqual(
      expect.arrayContaining(["robustbench: non-zero gradients", "autoattack: zero gradients"]),
    );
  });

  it("raise what was evaluated otherwise than by the book", async () => {
    const options = await optionsFor(tinyNetwork({ classCount: 3 }));
    const stages = [
      { attack: "apgd-ce", robustAccuracyFraction: 0.5 },
      { attack: "square", robustAccuracyFraction: 0.497 },
    ];
    const base = await evidence(options);
    const weak = { ...base, testImages: 100, epsilon: 0.1, autoAttack: { ...base.autoAttack!, stages } };
    expect(namesOf(weak, "raised")).toEqual([
      "robustbench: all test images",
      "robustbench: maximum norm 8/255",
      "autoattack: Square stronger",
      "autoattack: classes",
    ]);
    const none = { ...base, autoAttack: undefined, adaptiveAccuracyFraction: undefined };
    expect(namesOf(none, "raised")).toContain("robustbench: AutoAttack's standard version");
    expect(namesOf(none, "not applicable")).toEqual([
      "robustbench: adaptive evaluation",
      "autoattack: Square stronger",
    ]);
  });
});

describe("the masking checklist", () => {
  it("is passed by a plain network", async () => {
    const options = await optionsFor(tinyNetwork());
    const checks = await maskingChecklist({ ...options, steps: 20, queries: 60, surrogate: options.defence.oracle });
    expect(checks.map(({ name }) => name)).toEqual([...maskingCheckNames]);
    expect(checks.filter(({ state }) => state !== "passed")).toEqual([]);
  });

  it("is failed by a network whose gradients are masked, and its surrogate is stronger", async () => {
    const masked = await optionsFor(changed((g, logits) => g.stopGradient(logits)));
    const plain = await optionsFor(tinyNetwork());
    const checks = await maskingChecklist({
      ...masked,
      epsilon: 0.1,
      steps: 20,
      queries: 100,
      surrogate: plain.defence.oracle,
    });
    const failed = checks.filter(({ state }) => state === "failed").map(({ name }) => name);
    expect(failed).toEqual(
      expect.arrayContaining(["unbounded epsilon", "black box not stronger", "other gradients not stronger"]),
    );
  });

  it("says when there is nothing to compare with", async () => {
    const options = await optionsFor(tinyNetwork());
    const checks = await maskingChecklist({ ...options, steps: 5, queries: 5 });
    expect(checks.at(-1)).toMatchObject({ name: "other gradients not stronger", state: "not applicable" });
  });

  it("takes a series for falling that rises by no more than a point", () => {
    const series = (...figures: number[]) => figures.map((accuracyFraction) => ({ accuracyFraction }));
    expect(isFalling(series(0.5, 0.4, 0.405, 0.3))).toBe(true);
    expect(isFalling(series(0.5, 0.4, 0.42))).toBe(false);
    expect(isFalling(series(0.4, 0.405, 0.411))).toBe(false);
  });
});

it("the loss surface rises along the gradient, and holds the images' own loss in its middle", async () => {
  const options = await optionsFor(tinyNetwork());
  const { places, losses } = await lossSurface(options);
  const middle = places.indexOf(0);
  expect(losses.length).toBe(places.length);
  const along = losses.map((row) => row[middle]!);
  expect(along.at(-1)).toBeGreaterThan(along[middle]!);
  expect(along[0]).toBeLessThan(along[middle]!);
  const across = losses[middle]!;
  const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  expect(spread(along)).toBeGreaterThan(spread(across));
});
