import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advancePfq, type PfqOptions, type PfqState, startPfq } from "./pfq.js";

const options: PfqOptions = { epsilon: 0.1, alpha: 0.5 };

function run(losses: readonly number[], settings: PfqOptions = options): { turns: number[]; state: PfqState } {
  const turns: number[] = [];
  let state = startPfq(settings);
  losses.forEach((loss, index) => {
    const next = advancePfq(state, loss, settings);
    if (next.turningPoints > state.turningPoints) turns.push(index);
    state = next;
  });
  return { turns, state };
}

describe("PFQ's indicator", () => {
  it("turns when five losses stand still, empties its window, and shrinks epsilon twice", () => {
    const { turns, state } = run(Array<number>(40).fill(2));
    expect(turns).toEqual([4, 9, 14]);
    expect(state.epsilon).toBe(0.1 * 0.5 * 0.5);
    expect(state.turningPoints).toBe(3);
  });

  it("compares with the latest loss, in units of the mean of the first ten", () => {
    // Mean of the first ten: 2. Differences to the latest of up to 0.2 stand still.
    const first = [4, 3, 2.5, 2, 1.7, 1.5, 1.4, 1.35, 1.3, 1.25];
    expect(first.reduce((sum, loss) => sum + loss) / 10).toBe(2);
    expect(run([...first, 1.21]).turns).toEqual([10]);
    expect(run([...first, 1.19, 1.05]).turns).toEqual([]);
  });

  it("takes the mean of the losses so far until there are ten", () => {
    expect(run([2, 2, 2, 2, 1.7]).turns).toEqual([]);
    expect(run([2, 2, 2, 2, 1.81]).turns).toEqual([4]);
  });

  it("freezes the mean after ten: later losses do not change the unit", () => {
    const ten = Array.from({ length: 10 }, (_, index) => 10 - index);
    // The unit is 5.5, the limit 0.55, also after a hundred small losses.
    const { state } = run([...ten, 0.9, 0.3, 0.9, 0.3, 0.9]);
    expect(state.referenceCount).toBe(10);
    expect(state.referenceSum).toBe(55);
  });

  it("goes on from its state as if there had been no break", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.5, max: 3, noNaN: true }), { maxLength: 60 }),
        fc.nat(60),
        (losses, at) => {
          const whole = run(losses).state;
          let state = run(losses.slice(0, at)).state;
          state = JSON.parse(JSON.stringify(state)) as PfqState;
          for (const loss of losses.slice(at)) state = advancePfq(state, loss, options);
          expect(state).toEqual(whole);
        },
      ),
    );
  });

  it("has at most as many turning points as it is told, and refuses settings that are none", () => {
    expect(run(Array<number>(40).fill(1), { ...options, turningPoints: 1 }).turns).toEqual([4]);
    expect(() => startPfq({ epsilon: 0, alpha: 1 })).toThrow("no settings of PFQ");
  });
});
