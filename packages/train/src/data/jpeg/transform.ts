// The inverse discrete cosine transform of 8×8 blocks: Loeffler, Ligtenberg and Moschytz (ICASSP 1989), 11
// multiplications a row, in the fixed-point form in which libjpeg's default ("islow") computes it: 13 fractional bits
// in the constants, 2 kept between the passes. So the pixels are the same bits that libjpeg-turbo gives.

const constantBits = 13;
const passBits = 2;
const fixed = (value: number): number => Math.round(value * 2 ** constantBits);

const c0p298 = fixed(0.298631336);
const c0p390 = fixed(0.39018064);
const c0p541 = fixed(0.5411961);
const c0p765 = fixed(0.765366865);
const c0p899 = fixed(0.899976223);
const c1p175 = fixed(1.175875602);
const c1p501 = fixed(1.50132111);
const c1p847 = fixed(1.847759065);
const c1p961 = fixed(1.96157056);
const c2p053 = fixed(2.053119869);
const c2p562 = fixed(2.562915447);
const c3p072 = fixed(3.072711026);

const workspace = new Int32Array(64);
const rowShift = constantBits + passBits + 3;

/**
 * Transforms 64 dequantized coefficients (row by row) to samples 0–255 at `offset` of a plane with `stride` bytes a row.
 * `flat` says that all but the first coefficient are zero.
 */
export function inverseTransform(
  coefficients: Int32Array,
  flat: boolean,
  target: Uint8Array,
  offset: number,
  stride: number,
): void {
  if (flat) {
    const sample = clampSample((coefficients[0]! + 4) >> 3);
    for (let row = 0; row < 8; row++) target.fill(sample, offset + row * stride, offset + row * stride + 8);
    return;
  }
  for (let column = 0; column < 8; column++) {
    transformLine(coefficients, column, 8, constantBits - passBits);
  }
  for (let row = 0; row < 8; row++) {
    transformLine(workspace, row * 8, 1, rowShift);
    const base = offset + row * stride;
    for (let column = 0; column < 8; column++) target[base + column] = clampSample(workspace[row * 8 + column]!);
  }
}

/** One 8-point transform from `source` to the workspace, at the same positions. */
function transformLine(source: Int32Array, start: number, step: number, shift: number): void {
  const x1 = source[start + step]!;
  const x2 = source[start + 2 * step]!;
  const x3 = source[start + 3 * step]!;
  const x5 = source[start + 5 * step]!;
  const x6 = source[start + 6 * step]!;
  const x7 = source[start + 7 * step]!;
  const half = 1 << (shift - 1);

  const rotation = Math.imul(x2 + x6, c0p541);
  const even2 = rotation - Math.imul(x6, c1p847);
  const even3 = rotation + Math.imul(x2, c0p765);
  const sum = ((source[start]! + source[start + 4 * step]!) << constantBits) + half;
  const difference = ((source[start]! - source[start + 4 * step]!) << constantBits) + half;

  const shared = Math.imul(x7 + x3 + x5 + x1, c1p175);
  const z1 = Math.imul(x7 + x1, -c0p899);
  const z2 = Math.imul(x5 + x3, -c2p562);
  const z3 = Math.imul(x7 + x3, -c1p961) + shared;
  const z4 = Math.imul(x5 + x1, -c0p390) + shared;
  const odd7 = Math.imul(x7, c0p298) + z1 + z3;
  const odd5 = Math.imul(x5, c2p053) + z2 + z4;
  const odd3 = Math.imul(x3, c3p072) + z2 + z3;
  const odd1 = Math.imul(x1, c1p501) + z1 + z4;

  workspace[start] = (sum + even3 + odd1) >> shift;
  workspace[start + 7 * step] = (sum + even3 - odd1) >> shift;
  workspace[start + step] = (difference + even2 + odd3) >> shift;
  workspace[start + 6 * step] = (difference + even2 - odd3) >> shift;
  workspace[start + 2 * step] = (difference - even2 + odd5) >> shift;
  workspace[start + 5 * step] = (difference - even2 - odd5) >> shift;
  workspace[start + 3 * step] = (sum - even3 + odd7) >> shift;
  workspace[start + 4 * step] = (sum - even3 - odd7) >> shift;
}

/** Centres a value on 128 and limits it to a byte. */
function clampSample(value: number): number {
  return Math.max(0, Math.min(255, value + 128));
}
