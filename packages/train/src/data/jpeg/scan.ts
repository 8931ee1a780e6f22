import { corrupt, type JpegComponent, type JpegHeader } from "./header.js";
import { inverseTransform } from "./transform.js";

// The entropy-coded data (ITU-T T.81, annex F.2): Huffman codes, run lengths, differences of the DC values.

/** One colour plane, padded to whole coding units. */
export interface Plane {
  readonly samples: Uint8Array;
  readonly stride: number;
}

/** Position in `zigzag order` → position in the block, row by row. */
const zigzag = new Uint8Array(64);
for (let diagonal = 0, index = 0; diagonal < 15; diagonal++) {
  const first = Math.max(0, diagonal - 7);
  const last = Math.min(7, diagonal);
  for (let step = first; step <= last; step++) {
    const row = diagonal % 2 === 1 ? step : first + last - step;
    zigzag[index++] = row * 8 + (diagonal - row);
  }
}

/** Reads the blocks of a scan. Its buffers are reused from call to call. */
export class ScanReader {
  private data = new Uint8Array(4096);
  private length = 0;
  private position = 0;
  private accumulator = 0;
  private available = 0;
  private readonly coefficients = new Int32Array(64);
  private readonly previousDc = new Int32Array(3);

  /** Decodes the whole scan of `jpeg` into `planes` (Y, Cb, Cr). Throws `jpeg_corrupt`. */
  read(jpeg: Uint8Array, header: JpegHeader, planes: readonly Plane[]): void {
    this.load(jpeg, header.byteLength);
    this.previousDc.fill(0);
    const lumaBlocks = header.chromaStep;
    const unit = 8 * lumaBlocks;
    for (let top = 0; top < header.height; top += unit) {
      for (let left = 0; left < header.width; left += unit) {
        for (let block = 0; block < lumaBlocks * lumaBlocks; block++) {
          const row = top + 8 * Math.floor(block / lumaBlocks);
          this.readBlock(header.components[0], 0, planes[0]!, row, left + 8 * (block % lumaBlocks));
        }
        this.readBlock(header.components[1], 1, planes[1]!, top / lumaBlocks, left / lumaBlocks);
        this.readBlock(header.components[2], 2, planes[2]!, top / lumaBlocks, left / lumaBlocks);
      }
    }
    const unreadBits = (this.length - this.position) * 8 + this.available;
    if (unreadBits < 0) throw corrupt("entropy-coded data ends too early");
    if (unreadBits >= 8) throw corrupt(`${unreadBits >> 3} bytes of entropy-coded data left over`);
  }

  /** Copies the entropy-coded bytes without the zero bytes stuffed after FF, up to the end marker. */
  private load(jpeg: Uint8Array, start: number): void {
    // Four zero bytes behind the end let the bit reader run past it without a check at every byte.
    if (this.data.length < jpeg.length + 4) this.data = new Uint8Array(2 * jpeg.length + 4);
    let length = 0;
    let position = start;
    for (; position < jpeg.length; position++) {
      const byte = jpeg[position]!;
      if (byte === 0xff) {
        const next = jpeg[position + 1];
        if (next === 0xd9) break;
        if (next !== 0)
          throw corrupt(next === undefined ? "no end marker" : `marker FF ${next.toString(16)} inside the scan`);
        position += 1;
      }
      this.data[length++] = byte;
    }
    if (position >= jpeg.length) throw corrupt("no end marker", "FF D9 at the end", "the end of the file");
    if (position + 2 !== jpeg.length) throw corrupt(`${jpeg.length - position - 2} bytes after the end marker`);
    this.data.fill(0, length, length + 4);
    this.length = length;
    this.position = 0;
    this.accumulator = 0;
    this.available = 0;
  }

  private readBlock(component: JpegComponent, index: number, plane: Plane, row: number, column: number): void {
    const { coefficients, previousDc } = this;
    const { quantization, dcTable, acTable } = component;
    coefficients.fill(0);
    const category = this.readSymbol(dcTable);
    const dc = previousDc[index]! + (category === 0 ? 0 : this.readSigned(category));
    previousDc[index] = dc;
    coefficients[0] = Math.imul(dc, quantization[0]!);
    let last = 0;
    for (let position = 1; position < 64; position++) {
      const symbol = this.readSymbol(acTable);
      const bits = symbol & 15;
      const run = symbol >> 4;
      if (bits === 0) {
        if (run !== 15) break;
        position += 15;
        continue;
      }
      position += run;
      if (position > 63) throw corrupt("run of zeros longer than a block");
      coefficients[zigzag[position]!] = Math.imul(this.readSigned(bits), quantization[position]!);
      last = position;
    }
    inverseTransform(coefficients, last === 0, plane.samples, row * plane.stride + column, plane.stride);
  }

  private readSymbol(table: Uint16Array): number {
    if (this.available < 16) this.refill();
    const entry = table[(this.accumulator >>> (this.available - 16)) & 0xffff]!;
    if (entry === 0) throw corrupt(`no such Huffman code at byte ${this.position} of the entropy-coded data`);
    this.available -= entry >> 8;
    return entry & 0xff;
  }

  /** The next `bits` bits as JPEG's signed magnitude: a leading 0 stands for a negative value. */
  private readSigned(bits: number): number {
    if (this.available < bits) this.refill();
    this.available -= bits;
    const value = (this.accumulator >>> this.available) & ((1 << bits) - 1);
    return value >> (bits - 1) === 0 ? value - (1 << bits) + 1 : value;
  }

  private refill(): void {
    while (this.available <= 16) {
      this.accumulator = (this.accumulator << 8) | (this.position < this.data.length ? this.data[this.position]! : 0);
      this.position += 1;
      this.available += 8;
    }
  }
}
