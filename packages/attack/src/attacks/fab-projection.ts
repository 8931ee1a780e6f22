/**
 * The smallest step, in the maximum norm, from a point of [0, 1]ⁿ to the hyperplane normal · x = offset that stays inside
 * [0, 1]ⁿ; where there is none, the step to the corner that comes nearest. Writes it to `step`.
 *
 * Every coordinate moves by min(λ, its room) towards the hyperplane, so that λ solves Σ |normal|·min(λ, room) = the
 * distance still to go. That sum is concave and piecewise linear in λ: Newton's method from 0 comes to the solution from
 * below, in as many rounds as there are pieces on the way (Croce and Hein 2020 sort the rooms instead).
 */
export function projectToHyperplane(
  point: ArrayLike<number>,
  normal: ArrayLike<number>,
  offset: number,
  step: Float64Array,
): void {
  const count = point.length;
  let product = 0;
  for (let index = 0; index < count; index++) product += normal[index]! * point[index]!;
  const side = product - offset >= 0 ? 1 : -1;
  const distance = Math.abs(product - offset);
  const roomAt = (index: number): number => {
    const slope = side * normal[index]!;
    return slope > 0 ? point[index]! : slope < 0 ? 1 - point[index]! : 0;
  };
  const limit = stepLimit(normal, roomAt, distance, count);
  for (let index = 0; index < count; index++) {
    const slope = side * normal[index]!;
    step[index] = slope === 0 ? 0 : -Math.sign(slope) * Math.min(limit, roomAt(index));
  }
}

/** λ; infinite where all room is not enough. */
function stepLimit(
  normal: ArrayLike<number>,
  roomAt: (index: number) => number,
  distance: number,
  count: number,
): number {
  let limit = 0;
  let exhaustedBefore = -1;
  for (;;) {
    let exhausted = 0;
    let covered = 0;
    let slope = 0;
    for (let index = 0; index < count; index++) {
      const size = Math.abs(normal[index]!);
      const room = roomAt(index);
      if (room <= limit) {
        exhausted += 1;
        covered += size * room;
      } else {
        slope += size;
      }
    }
    if (exhausted === exhaustedBefore) return limit;
    if (slope === 0) return Number.POSITIVE_INFINITY;
    limit = Math.max((distance - covered) / slope, limit);
    exhaustedBefore = exhausted;
  }
}
