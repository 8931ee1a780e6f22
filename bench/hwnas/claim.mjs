// The form of a claim, as in the other reproduction cards.

const rounded = (value) => (Number.isFinite(value) ? Number(value.toPrecision(4)) : value);

/** A claim about one figure. `held` is decided by the caller, by a bound that stands in the text. */
export function claim({ text, source, claimed, ours, unit, held, perSeed = [ours], tried = [] }) {
  const mean = perSeed.reduce((sum, value) => sum + value, 0) / perSeed.length;
  const variance = perSeed.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, perSeed.length - 1);
  return {
    text,
    source,
    claimed,
    ours: rounded(ours),
    spread: rounded(Math.sqrt(variance)),
    unit,
    held,
    perSeed: perSeed.map(rounded),
    tried,
  };
}
