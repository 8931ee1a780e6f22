import { internalError } from "@dovetail/core";
import type { TestImage } from "../data/report-data.js";

const headerBytes = 54;

/**
 * A picture as a data URI in the format that needs no compressor: Windows bitmap, 24 bits a pixel, rows from the bottom
 * up, each filled to a multiple of four bytes.
 *
 * @throws DovetailError when there are not exactly channels · height · width bytes.
 */
export function bitmapDataUri(image: Pick<TestImage, "bytes" | "channels" | "height" | "width">): string {
  const { bytes, channels, height, width } = image;
  const area = height * width;
  if (bytes.length !== channels * area) {
    throw internalError("image_size", "an image of the report has the wrong number of bytes", {
      expected: `${channels} × ${height} × ${width}`,
      received: String(bytes.length),
    });
  }
  const rowBytes = Math.ceil((3 * width) / 4) * 4;
  const file = new Uint8Array(headerBytes + rowBytes * height);
  writeHeader(new DataView(file.buffer), width, height, file.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const to = headerBytes + (height - 1 - row) * rowBytes + 3 * column;
      const from = row * width + column;
      for (let channel = 0; channel < 3; channel++) {
        // Blue comes first.
        const plane = channels === 1 ? 0 : 2 - channel;
        file[to + channel] = bytes[plane * area + from]!;
      }
    }
  }
  return `data:image/bmp;base64,${base64(file)}`;
}

function writeHeader(view: DataView, width: number, height: number, fileBytes: number): void {
  view.setUint16(0, 0x4d42, true);
  view.setUint32(2, fileBytes, true);
  view.setUint32(10, headerBytes, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  view.setUint32(34, fileBytes - headerBytes, true);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
