import { inputError } from "@dovetail/core";
import { createHuffmanTable, type HuffmanTable } from "./huffman.js";

// The segments of a JPEG file in front of its entropy-coded data (ITU-T T.81, annex B), restricted to what small
// colour photographs use: baseline, 8 bits, one interleaved scan of Y, Cb and Cr.

/** What the decoder needs to know of one colour component. */
export interface JpegComponent {
  /** 64 divisors in zigzag order. */
  readonly quantization: Int32Array;
  readonly dcTable: HuffmanTable;
  readonly acTable: HuffmanTable;
}

/** A parsed header. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** Horizontal and vertical subsampling of Cb and Cr: 1 (4:4:4) or 2 (4:2:0). */
  readonly chromaStep: 1 | 2;
  /** Y, Cb, Cr. */
  readonly components: readonly [JpegComponent, JpegComponent, JpegComponent];
  /** Number of bytes before the entropy-coded data. */
  readonly byteLength: number;
}

interface FrameComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantizationId: number;
}

interface Segments {
  frame?: { width: number; height: number; components: FrameComponent[] };
  readonly quantization: Map<number, Int32Array>;
  readonly dcTables: Map<number, HuffmanTable>;
  readonly acTables: Map<number, HuffmanTable>;
}

const marker = {
  SOF0: 0xc0,
  SOF1: 0xc1,
  DHT: 0xc4,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DRI: 0xdd,
  APP14: 0xee,
};

/** Parses the header of a JPEG file. Throws input errors `jpeg_corrupt` and `jpeg_unsupported`. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  if (bytes[0] !== 0xff || bytes[1] !== marker.SOI) {
    throw inputError("jpeg_corrupt", "not a JPEG file", { expected: "FF D8 at the start", received: hex(bytes, 0) });
  }
  const segments: Segments = { quantization: new Map(), dcTables: new Map(), acTables: new Map() };
  let position = 2;
  for (;;) {
    if (position + 4 > bytes.length) throw corrupt("file ends inside its header");
    if (bytes[position] !== 0xff) {
      throw corrupt(`no marker at byte ${position}`, "FF and a marker code", hex(bytes, position));
    }
    const code = bytes[position + 1]!;
    if (code === 0xff) {
      position += 1;
      continue;
    }
    const length = (bytes[position + 2]! << 8) | bytes[position + 3]!;
    const end = position + 2 + length;
    if (length < 2 || end > bytes.length) throw corrupt(`segment FF ${code.toString(16)} is longer than the file`);
    const payload = bytes.subarray(position + 4, end);
    if (code === marker.SOS) return finishHeader(segments, payload, end);
    readSegment(segments, code, payload);
    position = end;
  }
}

function readSegment(segments: Segments, code: number, payload: Uint8Array): void {
  if (code === marker.DQT) readQuantization(segments, payload);
  else if (code === marker.DHT) readHuffmanTables(segments, payload);
  else if (code === marker.SOF0 || code === marker.SOF1) readFrame(segments, payload);
  else if (code >= 0xc2 && code <= 0xcf && code !== 0xc8 && code !== 0xcc) {
    throw unsupported("baseline coding", `a frame of type FF ${code.toString(16)}`);
  } else if (code === marker.DRI && (payload[0] !== 0 || payload[1] !== 0)) {
    throw unsupported("no restart markers", "a restart interval");
  } else if (code === marker.APP14 && payload[11] !== undefined && payload[11] !== 1) {
    throw unsupported("YCbCr colours", `Adobe colour transform ${payload[11]}`);
  }
}

function readQuantization(segments: Segments, payload: Uint8Array): void {
  let position = 0;
  while (position < payload.length) {
    const wide = payload[position]! >> 4 !== 0;
    const id = payload[position]! & 15;
    position += 1;
    if (position + (wide ? 128 : 64) > payload.length) throw corrupt("quantization table is cut short");
    const table = new Int32Array(64);
    for (let index = 0; index < 64; index++) {
      table[index] = wide ? (payload[position]! << 8) | payload[position + 1]! : payload[position]!;
      position += wide ? 2 : 1;
    }
    segments.quantization.set(id, table);
  }
}

function readHuffmanTables(segments: Segments, payload: Uint8Array): void {
  let position = 0;
  while (position < payload.length) {
    const isAc = payload[position]! >> 4 !== 0;
    const id = payload[position]! & 15;
    const counts = payload.subarray(position + 1, position + 17);
    const symbolCount = counts.reduce((sum, count) => sum + count, 0);
    const symbols = payload.subarray(position + 17, position + 17 + symbolCount);
    if (counts.length < 16 || symbols.length < symbolCount) throw corrupt("Huffman table is cut short");
    if (!isAc && symbols.some((symbol) => symbol > 11)) throw corrupt("Huffman table has a DC category above 11");
    (isAc ? segments.acTables : segments.dcTables).set(id, createHuffmanTable(counts, symbols));
    position += 17 + symbolCount;
  }
}

function readFrame(segments: Segments, payload: Uint8Array): void {
  if (segments.frame) throw corrupt("second frame header");
  const count = payload[5] ?? 0;
  if (payload.length < 6 + 3 * count) throw corrupt("frame header is cut short");
  if (payload[0] !== 8) throw unsupported("8 bits a sample", `${payload[0]}`);
  const components: FrameComponent[] = [];
  for (let position = 6; position < 6 + 3 * count; position += 3) {
    const sampling = payload[position + 1]!;
    const quantizationId = payload[position + 2]!;
    components.push({ id: payload[position]!, horizontal: sampling >> 4, vertical: sampling & 15, quantizationId });
  }
  segments.frame = {
    height: (payload[1]! << 8) | payload[2]!,
    width: (payload[3]! << 8) | payload[4]!,
    components,
  };
}

function finishHeader(segments: Segments, scan: Uint8Array, byteLength: number): JpegHeader {
  const { frame } = segments;
  if (!frame) throw corrupt("scan without a frame header");
  const chromaStep = chromaStepOf(frame.components);
  if (scan[0] !== 3 || scan.length < 10) throw unsupported("one scan of three components", `${scan[0] ?? 0}`);
  if (scan[7] !== 0 || scan[8] !== 63 || scan[9] !== 0) throw corrupt("spectral selection in a baseline scan");
  const components = frame.components.map((component, index): JpegComponent => {
    if (scan[1 + 2 * index] !== component.id) throw corrupt("scan and frame list different components");
    const selectors = scan[2 + 2 * index]!;
    const quantization = segments.quantization.get(component.quantizationId);
    const dcTable = segments.dcTables.get(selectors >> 4);
    const acTable = segments.acTables.get(selectors & 15);
    if (!quantization || !dcTable || !acTable) throw corrupt(`a table of component ${index + 1} is missing`);
    return { quantization, dcTable, acTable };
  }) as unknown as JpegHeader["components"];
  return { width: frame.width, height: frame.height, chromaStep, components, byteLength };
}

function chromaStepOf(components: readonly FrameComponent[]): 1 | 2 {
  const [luma, ...chroma] = components;
  const letters = String.fromCharCode(...components.map((component) => component.id));
  if (!luma || chroma.length !== 2 || letters === "RGB") {
    throw unsupported("three components (Y, Cb, Cr)", letters === "RGB" ? "R, G, B" : `${components.length}`);
  }
  const sampling = components.map((component) => `${component.horizontal}x${component.vertical}`).join(" ");
  if (sampling === "1x1 1x1 1x1") return 1;
  if (sampling === "2x2 1x1 1x1") return 2;
  throw unsupported("sampling 1x1 1x1 1x1 or 2x2 1x1 1x1", sampling);
}

/** The error for a JPEG file that breaks the format. */
export function corrupt(message: string, expected?: string, received?: string): Error {
  return inputError("jpeg_corrupt", `corrupt JPEG: ${message}`, { expected, received });
}

function unsupported(expected: string, received: string): Error {
  return inputError("jpeg_unsupported", "JPEG of a kind that this reader does not take", { expected, received });
}

function hex(bytes: Uint8Array, position: number): string {
  const pair = bytes.subarray(position, position + 2);
  return pair.length === 0
    ? "an empty file"
    : Array.from(pair, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}
