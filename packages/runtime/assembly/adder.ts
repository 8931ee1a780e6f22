// Kernels of the add layer: the forward pass and the gradient to the input, on WebAssembly's 128-bit vectors, for any
// number of threads over one shared memory. Compiled by `npm run kernels`; `src/kernels/geometry.ts` lays the memory out.
//
// |x − w| = 2·max(x, w) − x − w: sums of x and of w are the same for all filters or all positions, so the inner loop has
// two operations instead of three. (clamp(w − x, −1, 1) = min(max(w, x − 1), x + 1) − x would save one too, but takes more
// registers than there are: measured slower.)
// A task is an image, or some channels of one; tasks write apart from each other, so results do not depend on who does them.

/** Fields of a job, 32 bit each. */
const KIND = 0;
const TASKS = 1;
const TASKS_PER_IMAGE = 2;
const NEXT_TASK = 3;
const SOURCE = 4; // what is padded: X forward, dY backward [image, channel, height, width]
const CHANNELS = 5;
const HEIGHT = 6;
const WIDTH = 7;
const PADDED_HEIGHT = 8;
const PADDED_WIDTH = 9;
const TOP = 10;
const LEFT = 11;
const RESULT = 12; // Y forward, dX backward
const RESULT_CHANNELS = 13;
const RESULT_HEIGHT = 14;
const RESULT_WIDTH = 15;
const BLOCKS = 16; // of result channels: 8 forward, 4 backward
const WEIGHTS = 17; // [block, terms, channels of a block]
const STRIDE_HEIGHT = 18;
const STRIDE_WIDTH = 19;
const WINDOW = 20; // kernel positions
const TERMS = 21; // forward: channels · kernel positions
const OFFSETS = 22; // forward: from a position to each term, in bytes
const FILTER_SUMS = 23; // forward: ΣW of each filter
const INPUT = 24; // backward: X
const CLASSES = 25; // backward: number of classes of input positions
const CLASS_TABLE = 26; // backward

/** Fields of a class of input positions: those that meet the same kernel positions. */
const CLASS_ROW = 0;
const CLASS_COLUMN = 1;
const CLASS_ROWS = 2;
const CLASS_COLUMNS = 3;
const CLASS_TAPS = 4;
const CLASS_OFFSETS = 5;
const CLASS_WEIGHTS = 6;
const CLASS_FIELDS = 7;

// @ts-expect-error: decorator
@inline
function field(at: usize, index: i32): i32 {
  return load<i32>(at + (<usize>index << 2));
}

/** Does tasks of the job until none is left. `scratch` is this thread's own. */
export function work(job: usize, scratch: usize): void {
  const tasks = field(job, TASKS);
  const perImage = field(job, TASKS_PER_IMAGE);
  const blocks = field(job, BLOCKS);
  const isForward = field(job, KIND) == 0;
  for (;;) {
    const task = atomic.add<i32>(job + (NEXT_TASK << 2), 1);
    if (task >= tasks) return;
    const image = task / perImage;
    const part = task % perImage;
    const first = (blocks * part) / perImage;
    const last = (blocks * (part + 1)) / perImage;
    pad(job, scratch, image);
    if (isForward) forward(job, scratch, image, first, last);
    else inputGradient(job, scratch, image, first, last);
  }
}

/** Bytes of one padded plane. */
// @ts-expect-error: decorator
@inline
function planeBytes(job: usize): usize {
  return <usize>(field(job, PADDED_HEIGHT) * field(job, PADDED_WIDTH)) << 2;
}

/** Where the sum of all padded planes lies. */
// @ts-expect-error: decorator
@inline
function sumPlane(job: usize, scratch: usize): usize {
  return scratch + planeBytes(job) * <usize>field(job, CHANNELS);
}

/** Copies an image with zeros around it to the scratch, and forward the sum over its channels behind it. */
function pad(job: usize, scratch: usize, image: i32): void {
  const channels = field(job, CHANNELS);
  const height = field(job, HEIGHT);
  const width = field(job, WIDTH);
  const paddedHeight = field(job, PADDED_HEIGHT);
  const paddedWidth = field(job, PADDED_WIDTH);
  const top = field(job, TOP);
  const left = field(job, LEFT);
  const plane = planeBytes(job);
  const rows = min(height, paddedHeight - top);
  const columns = min(width, paddedWidth - left);
  const sums = sumPlane(job, scratch);
  memory.fill(scratch, 0, plane * <usize>(channels + 1) + 16);
  if (rows <= 0 || columns <= 0) return;
  const bytes = <usize>columns << 2;
  for (let channel = 0; channel < channels; channel++) {
    let from = <usize>field(job, SOURCE) + (<usize>((image * channels + channel) * height * width) << 2);
    let to = scratch + plane * <usize>channel + (<usize>(top * paddedWidth + left) << 2);
    for (let row = 0; row < rows; row++) {
      memory.copy(to, from, bytes);
      from += <usize>width << 2;
      to += <usize>paddedWidth << 2;
    }
    if (field(job, KIND) != 0) continue;
    const start = scratch + plane * <usize>channel;
    // Reads and writes up to 12 bytes beyond the plane, which is what comes next or slack.
    for (let at: usize = 0; at < plane; at += 16) {
      v128.store(sums + at, f32x4.add(v128.load(sums + at), v128.load(start + at)));
    }
  }
}

/** Y for some blocks of 8 filters of one image. */
function forward(job: usize, scratch: usize, image: i32, first: i32, last: i32): void {
  const outputs = field(job, RESULT_CHANNELS);
  const height = field(job, RESULT_HEIGHT);
  const width = field(job, RESULT_WIDTH);
  const terms = field(job, TERMS);
  const planeOut = <usize>(height * width) << 2;
  const rowStep = <usize>(field(job, STRIDE_HEIGHT) * field(job, PADDED_WIDTH)) << 2;
  const step = <usize>field(job, STRIDE_WIDTH) << 2;
  const windowSums = sumPlane(job, scratch) + planeBytes(job) + 16;
  sumWindows(job, sumPlane(job, scratch), windowSums);
  for (let block = first; block < last; block++) {
    const weights = <usize>field(job, WEIGHTS) + (<usize>(block * terms) << 5);
    const filterSums = <usize>field(job, FILTER_SUMS) + (<usize>block << 5);
    const target = <usize>field(job, RESULT) + <usize>(image * outputs + block * 8) * planeOut;
    const filters = min(8, outputs - block * 8);
    for (let row = 0; row < height; row++) {
      const from = scratch + <usize>row * rowStep;
      for (let column = 0; column < width; column += 4) {
        // The last group of a row goes over positions of the one before again, to the same bits.
        const start = width >= 4 ? min(column, width - 4) : column;
        const at = <usize>(row * width + start) << 2;
        const source = from + <usize>start * step;
        const count = min(4, width - start);
        if (count < 4) {
          for (let one = 0; one < count; one++) {
            const next = <usize>one;
            forwardOne(job, source + next * step, weights, terms, windowSums + at + (next << 2), filterSums, target + at + (next << 2), planeOut, filters);
          }
        } else if (step == 4) {
          forwardFour(job, source, 4, weights, terms, windowSums + at, filterSums, target + at, planeOut, filters);
        } else {
          forwardFour(job, source, step, weights, terms, windowSums + at, filterSums, target + at, planeOut, filters);
        }
      }
    }
  }
}

/** Sums of X over the window of each position, from the sums over channels. */
function sumWindows(job: usize, sums: usize, result: usize): void {
  const height = field(job, RESULT_HEIGHT);
  const width = field(job, RESULT_WIDTH);
  const paddedWidth = field(job, PADDED_WIDTH);
  const window = field(job, WINDOW);
  const offsets = <usize>field(job, OFFSETS);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = sums + (<usize>(row * field(job, STRIDE_HEIGHT) * paddedWidth + column * field(job, STRIDE_WIDTH)) << 2);
      let sum: f32 = 0;
      for (let tap = 0; tap < window; tap++) sum += load<f32>(at + <usize>field(offsets, tap));
      store<f32>(result + (<usize>(row * width + column) << 2), sum);
    }
  }
}

/** 4 positions of a row, 8 filters. Inlined, so that with a step of 4 bytes the addresses are constants. */
// @ts-expect-error: decorator
@inline
function forwardFour(
  job: usize,
  source: usize,
  step: usize,
  weights: usize,
  terms: i32,
  windowSums: usize,
  filterSums: usize,
  target: usize,
  planeOut: usize,
  filters: i32,
): void {
  let a0 = f32x4.splat(0), b0 = a0, a1 = a0, b1 = a0, a2 = a0, b2 = a0, a3 = a0, b3 = a0;
  let offset = <usize>field(job, OFFSETS);
  const end = offset + (<usize>terms << 2);
  let w = weights;
  const step3 = step * 3;
  const step2 = step * 2;
  do {
    const at = source + <usize>load<i32>(offset);
    const low = v128.load(w);
    const high = v128.load(w, 16);
    let x = v128.load32_splat(at);
    a0 = f32x4.add(a0, f32x4.pmax(x, low));
    b0 = f32x4.add(b0, f32x4.pmax(x, high));
    x = step == 4 ? v128.load32_splat(at, 4) : v128.load32_splat(at + step);
    a1 = f32x4.add(a1, f32x4.pmax(x, low));
    b1 = f32x4.add(b1, f32x4.pmax(x, high));
    x = step == 4 ? v128.load32_splat(at, 8) : v128.load32_splat(at + step2);
    a2 = f32x4.add(a2, f32x4.pmax(x, low));
    b2 = f32x4.add(b2, f32x4.pmax(x, high));
    x = step == 4 ? v128.load32_splat(at, 12) : v128.load32_splat(at + step3);
    a3 = f32x4.add(a3, f32x4.pmax(x, low));
    b3 = f32x4.add(b3, f32x4.pmax(x, high));
    offset += 4;
    w += 32;
  } while (offset < end);
  const sums = v128.load(windowSums);
  storeFour(a0, a1, a2, a3, sums, filterSums, target, planeOut, filters);
  storeFour(b0, b1, b2, b3, sums, filterSums + 16, target + (planeOut << 2), planeOut, filters - 4);
}

/** Y = ΣX + ΣW − 2·Σ max(X, W) of 4 positions (one sum of maxima a vector) and up to 4 filters. */
// @ts-expect-error: decorator
@inline
function storeFour(p0: v128, p1: v128, p2: v128, p3: v128, sums: v128, filterSums: usize, target: usize, planeOut: usize, filters: i32): void {
  // From a vector a position to a vector a filter.
  const low01 = v128.shuffle<f32>(p0, p1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(p2, p3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(p0, p1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(p2, p3, 2, 6, 3, 7);
  storeFilter(v128.shuffle<i64>(low01, low23, 0, 2), sums, filterSums, target, filters > 0);
  storeFilter(v128.shuffle<i64>(low01, low23, 1, 3), sums, filterSums + 4, target + planeOut, filters > 1);
  storeFilter(v128.shuffle<i64>(high01, high23, 0, 2), sums, filterSums + 8, target + planeOut * 2, filters > 2);
  storeFilter(v128.shuffle<i64>(high01, high23, 1, 3), sums, filterSums + 12, target + planeOut * 3, filters > 3);
}

// @ts-expect-error: decorator
@inline
function storeFilter(maxima: v128, sums: v128, filterSum: usize, target: usize, isThere: bool): void {
  if (isThere) v128.store(target, distances(maxima, sums, v128.load32_splat(filterSum)));
}

// @ts-expect-error: decorator
@inline
function distances(maxima: v128, inputs: v128, filters: v128): v128 {
  return f32x4.sub(f32x4.add(inputs, filters), f32x4.add(maxima, maxima));
}

/** One position, 8 filters: the same operations in the same order. */
function forwardOne(job: usize, source: usize, weights: usize, terms: i32, windowSum: usize, filterSums: usize, target: usize, planeOut: usize, filters: i32): void {
  let a = f32x4.splat(0), b = a;
  const offsets = <usize>field(job, OFFSETS);
  for (let term = 0; term < terms; term++) {
    const x = v128.load32_splat(source + <usize>field(offsets, term));
    const w = weights + (<usize>term << 5);
    a = f32x4.add(a, f32x4.pmax(x, v128.load(w)));
    b = f32x4.add(b, f32x4.pmax(x, v128.load(w, 16)));
  }
  const sum = v128.load32_splat(windowSum);
  storeLanes(distances(a, sum, v128.load(filterSums)), target, planeOut, filters);
  storeLanes(distances(b, sum, v128.load(filterSums, 16)), target + (planeOut << 2), planeOut, filters - 4);
}

/** Up to 4 values, `step` bytes apart. */
// @ts-expect-error: decorator
@inline
function storeLanes(values: v128, target: usize, step: usize, count: i32): void {
  if (count > 0) v128.store_lane<f32>(target, values, 0);
  if (count > 1) v128.store_lane<f32>(target + step, values, 1);
  if (count > 2) v128.store_lane<f32>(target + step * 2, values, 2);
  if (count > 3) v128.store_lane<f32>(target + step * 3, values, 3);
}

/** Up to 4 values, `step` bytes apart; those that are not there are 0. */
// @ts-expect-error: decorator
@inline
function loadLanes(source: usize, step: usize, count: i32): v128 {
  let values = f32x4.splat(0);
  if (count > 0) values = v128.load_lane<f32>(source, values, 0);
  if (count > 1) values = v128.load_lane<f32>(source + step, values, 1);
  if (count > 2) values = v128.load_lane<f32>(source + step * 2, values, 2);
  if (count > 3) values = v128.load_lane<f32>(source + step * 3, values, 3);
  return values;
}

/** dX for some blocks of 4 channels of one image. */
function inputGradient(job: usize, scratch: usize, image: i32, first: i32, last: i32): void {
  const classes = field(job, CLASSES);
  for (let block = first; block < last; block++) {
    for (let index = 0; index < classes; index++) {
      gradientOfClass(job, scratch, image, block, <usize>field(job, CLASS_TABLE) + (<usize>(index * CLASS_FIELDS) << 2));
    }
  }
}

/** Positions of one class, 4 of a row at a time, and 4 channels. */
function gradientOfClass(job: usize, scratch: usize, image: i32, block: i32, own: usize): void {
  const channels = field(job, RESULT_CHANNELS);
  const height = field(job, RESULT_HEIGHT);
  const width = field(job, RESULT_WIDTH);
  const strideHeight = field(job, STRIDE_HEIGHT);
  const strideWidth = field(job, STRIDE_WIDTH);
  const rowBytes = <usize>field(job, PADDED_WIDTH) << 2;
  const plane = <usize>(height * width) << 2;
  const taps = field(own, CLASS_TAPS);
  const terms = taps * field(job, CHANNELS);
  const weights = <usize>field(own, CLASS_WEIGHTS) + (<usize>(block * terms) << 4);
  const offsets = <usize>field(own, CLASS_OFFSETS);
  const step = <usize>strideWidth << 2;
  const columns = field(own, CLASS_COLUMNS);
  const blockStart = <usize>(image * channels + block * 4) * plane;
  for (let row = 0; row < field(own, CLASS_ROWS); row++) {
    const rowStart = blockStart + (<usize>((field(own, CLASS_ROW) + row * strideHeight) * width + field(own, CLASS_COLUMN)) << 2);
    const gradients = scratch + <usize>row * rowBytes;
    for (let column = 0; column < columns; column += 4) {
      const at = rowStart + <usize>column * step;
      gradientFour(job, at, step, plane, min(4, columns - column), channels - block * 4, gradients + (<usize>column << 2), offsets, terms, weights);
    }
  }
}

// @ts-expect-error: decorator
@inline
function gradientFour(job: usize, at: usize, step: usize, plane: usize, count: i32, channels: i32, gradients: usize, offsets: usize, terms: i32, weights: usize): void {
  const input = <usize>field(job, INPUT) + at;
  const result = <usize>field(job, RESULT) + at;
  const x0 = loadLanes(input, step, count);
  const x1 = loadLanes(input + plane, step, channels > 1 ? count : 0);
  const x2 = loadLanes(input + plane * 2, step, channels > 2 ? count : 0);
  const x3 = loadLanes(input + plane * 3, step, channels > 3 ? count : 0);
  const one = f32x4.splat(1), minusOne = f32x4.splat(-1);
  let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let offset = offsets;
  const end = offsets + (<usize>terms << 2);
  let w = weights;
  while (offset < end) {
    const gradient = v128.load(gradients + <usize>load<i32>(offset));
    a0 = f32x4.add(a0, f32x4.mul(gradient, f32x4.pmin(f32x4.pmax(f32x4.sub(v128.load32_splat(w), x0), minusOne), one)));
    a1 = f32x4.add(a1, f32x4.mul(gradient, f32x4.pmin(f32x4.pmax(f32x4.sub(v128.load32_splat(w, 4), x1), minusOne), one)));
    a2 = f32x4.add(a2, f32x4.mul(gradient, f32x4.pmin(f32x4.pmax(f32x4.sub(v128.load32_splat(w, 8), x2), minusOne), one)));
    a3 = f32x4.add(a3, f32x4.mul(gradient, f32x4.pmin(f32x4.pmax(f32x4.sub(v128.load32_splat(w, 12), x3), minusOne), one)));
    offset += 4;
    w += 16;
  }
  storeLanes(a0, result, step, count);
  if (channels > 1) storeLanes(a1, result + plane, step, count);
  if (channels > 2) storeLanes(a2, result + plane * 2, step, count);
  if (channels > 3) storeLanes(a3, result + plane * 3, step, count);
}

/** Additions and maxima on 14 registers, `rounds` times 14 vector operations: what forward could reach at best. */
export function peakForward(rounds: i32): f32 {
  const x = f32x4.splat(<f32>rounds);
  let a0 = x, a1 = x, a2 = x, a3 = x, a4 = x, a5 = x, a6 = x, m0 = x, m1 = x, m2 = x, m3 = x, m4 = x, m5 = x, m6 = x;
  for (let round = 0; round < rounds; round++) {
    a0 = f32x4.add(a0, x);
    m0 = f32x4.pmax(m0, a6);
    a1 = f32x4.add(a1, x);
    m1 = f32x4.pmax(m1, a0);
    a2 = f32x4.add(a2, x);
    m2 = f32x4.pmax(m2, a1);
    a3 = f32x4.add(a3, x);
    m3 = f32x4.pmax(m3, a2);
    a4 = f32x4.add(a4, x);
    m4 = f32x4.pmax(m4, a3);
    a5 = f32x4.add(a5, x);
    m5 = f32x4.pmax(m5, a4);
    a6 = f32x4.add(a6, x);
    m6 = f32x4.pmax(m6, a5);
  }
  const sum = f32x4.add(f32x4.add(f32x4.add(m0, m1), f32x4.add(m2, m3)), f32x4.add(f32x4.add(m4, m5), m6));
  return f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1) + f32x4.extract_lane(a6, 2);
}
