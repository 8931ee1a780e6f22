import { readFileSync } from "node:fs";
import { createRandomStream } from "@dovetail/core";
import { tensorFromData } from "@dovetail/graph";
import { createRuntime, type Runtime } from "@dovetail/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crossEntropyLoss, dlrLoss, targetedDlrLoss } from "../losses/losses.js";
import { type Defence, openDefence } from "../model/defence.js";
import { allRows, type Oracle } from "../model/oracle.js";
import { tinyNetworkForm } from "../testing/tiny-defence.js";
import { apgdRun } from "./apgd-run.js";
import type { AttackTask } from "./attack.js";
import { fabT } from "./fab.js";
import { projectToHyperplane } from "./fab-projection.js";
import { squareShare, squareSide } from "./square.js";

/** Written by oracles/attacks.py: AutoAttack's own code from the same starts. Arrays are base64 of float32. */
interface Golden {
  readonly side: number;
  readonly classCount: number;
  readonly epsilon: number;
  readonly steps: number;
  readonly kept: readonly number[];
  readonly weights: Readonly<Record<string, string>>;
  readonly images: string;
  readonly labels: readonly number[];
  readonly targets: readonly number[];
  readonly start: string;
  readonly apgd: readonly {
    readonly loss: string;
    readonly losses: string;
    readonly points: string;
    readonly best: string;
    readonly bestLosses: string;
    readonly right: readonly number[];
    readonly adversarial: string;
  }[];
  readonly fab: { readonly steps: number; readonly points: string; readonly nearest: string };
  readonly projections: Readonly<Record<"points" | "normals" | "steps", readonly (readonly number[])[]>> & {
    readonly offsets: readonly number[];
  };
  readonly square: { readonly iterations: readonly number[]; readonly sides: readonly number[] };
}
const golden = JSON.parse(readFileSync(new URL("./auto-attack.golden.json", import.meta.url), "utf8")) as Golden;
const decode = (text: string) => new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);

let runtime: Runtime;
let defence: Defence;
beforeAll(async () => {
  runtime = await createRuntime({ threads: 1 });
  const network = tinyNetworkForm(golden);
  const shapes = new Map(network.parameters.map(({ name, shape }) => [name, shape]));
  const weights = new Map(
    Object.entries(golden.weights).map(([name, text]) => [
      name,
      tensorFromData("float32", shapes.get(name)!, decode(text)),
    ]),
  );
  defence = openDefence({ runtime, network, weights });
});
afterAll(() => runtime.release());

const images = decode(golden.images);
const count = golden.labels.length;

interface Seen {
  readonly points: Float32Array;
  readonly losses: Float64Array;
}

/** The task, and the points and losses of all questions with gradients. */
function recordedTask(): { readonly task: AttackTask; readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const oracle: Oracle = {
    ...defence.oracle,
    differentiate: async (points, loss, answer, rows) => {
      await defence.oracle.differentiate(points, loss, answer, rows);
      seen.push({ points: points.images.slice(), losses: answer.losses.slice() });
    },
  };
  const examples = { images, labels: Int32Array.from(golden.labels), ids: allRows(count) };
  return { task: { oracle, examples, epsilon: golden.epsilon, random: createRandomStream(0) }, seen };
}

function expectNear(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  let largest = 0;
  for (let index = 0; index < found.length; index++) {
    largest = Math.max(largest, Math.abs(found[index]! - expected[index]!));
  }
  expect(largest).toBeLessThanOrEqual(tolerance);
}

const losses = [crossEntropyLoss, dlrLoss, targetedDlrLoss];

describe.each(golden.apgd)("Auto-PGD on $loss", (expected) => {
  const run = async (firstLossIsZero: boolean) => {
    const { task, seen } = recordedTask();
    const result = await apgdRun(task, {
      loss: losses.find(({ name }) => name === expected.loss)!,
      steps: golden.steps,
      start: decode(golden.start),
      targets: Int32Array.from(golden.targets),
      rows: allRows(count),
      stopWhenWrong: false,
      cleanShares: new Float64Array(count).fill(1),
      firstLossIsZero,
    });
    return { result, seen };
  };

  it("visits AutoAttack's points with AutoAttack's losses", async () => {
    const { result, seen } = await run(true);
    expect(seen.length).toBe(golden.steps + 1);
    const expectedLosses = decode(expected.losses);
    const expectedPoints = decode(expected.points);
    for (const [step, { losses: found }] of seen.entries()) {
      expectNear(found, expectedLosses.subarray(step * count, (step + 1) * count), 1e-4);
    }
    for (const [index, step] of golden.kept.entries()) {
      expectNear(seen[step]!.points, expectedPoints.subarray(index * images.length, (index + 1) * images.length), 1e-6);
    }
    expectNear(result.best, decode(expected.best), 1e-6);
    expectNear(result.bestLosses, decode(expected.bestLosses), 1e-4);
    expect(Array.from(result.rightShares)).toEqual(expected.right);
    const adversarial = decode(expected.adversarial);
    for (let row = 0; row < count; row++) {
      // Images that stay right come back from their code as they started, from ours as they were.
      if (expected.right[row] === 1) continue;
      const size = images.length / count;
      const rowOf = (values: Float32Array) => values.subarray(row * size, (row + 1) * size);
      expectNear(rowOf(result.adversarial), rowOf(adversarial), 1e-6);
    }
  });
});

describe("FAB-T", () => {
  it("visits AutoAttack's points", async () => {
    const { task, seen } = recordedTask();
    const { steps } = golden.fab;
    const nearest = await fabT({ steps, targets: 1, stopWhenWrong: false, beyondEpsilon: true }).run(task);
    const expected = decode(golden.fab.points);
    expect(seen.length).toBe(steps);
    for (const [step, { points }] of seen.entries()) {
      expectNear(points, expected.subarray(step * images.length, (step + 1) * images.length), 2e-6);
    }
    expectNear(nearest, decode(golden.fab.nearest), 2e-6);
  });

  it("projects to hyperplanes as AutoAttack does", () => {
    const { points, normals, offsets, steps } = golden.projections;
    for (const [row, point] of points.entries()) {
      const step = new Float64Array(point.length);
      projectToHyperplane(Float64Array.from(point), Float64Array.from(normals[row]!), offsets[row]!, step);
      expectNear(step, steps[row]!, 1e-12);
    }
  });
});

it("Square's windows have AutoAttack's sides at 32 × 32", () => {
  const { iterations, sides } = golden.square;
  expect(iterations.map((iteration) => squareSide(squareShare(iteration), 32, 32))).toEqual(sides);
});
