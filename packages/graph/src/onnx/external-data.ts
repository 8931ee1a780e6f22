import { inputError } from "@dovetail/core";
import type { TensorProto } from "./generated/onnx_pb.js";
import { malformed, type Path, type Reading } from "./reading.js";

/**
 * The bytes of a tensor that lies in a file beside the model, or undefined when they are not there and the caller is
 * content with shapes. Paths that leave the model's folder are refused.
 */
export function readExternalBytes(
  proto: TensorProto,
  byteLength: number,
  reading: Reading,
  path: Path,
): Uint8Array | undefined {
  const place = [...path, "external_data"];
  const entries = new Map(proto.externalData.map(({ key, value }) => [key ?? "", value ?? ""]));
  const location = safeLocation(entries.get("location"), place);
  const offset = wholeNumber(entries.get("offset") ?? "0", [...place, "offset"]);
  const declared = entries.get("length");
  const length = declared === undefined ? byteLength : wholeNumber(declared, [...place, "length"]);
  if (length !== byteLength) {
    throw malformed(place, "the length does not fit the tensor's type and dimensions", {
      expected: `${byteLength} bytes`,
      received: `${length}`,
    });
  }
  const bytes = reading.externalData?.(location, offset, byteLength);
  if (bytes === undefined) {
    if (reading.missingExternalData === "shape-only") return undefined;
    throw inputError("missing_external_data", `the file "${location}" with this tensor's values is not there`, {
      path: place,
      hint: "put it beside the model, or read the model for its shapes only",
    });
  }
  if (bytes.byteLength !== byteLength) {
    throw inputError("external_data_size", `the file "${location}" is too short for this tensor`, {
      path: place,
      expected: `${byteLength} bytes from offset ${offset}`,
      received: `${bytes.byteLength}`,
    });
  }
  return bytes;
}

function safeLocation(location: string | undefined, path: Path): string {
  if (!location) throw malformed(path, "the location is missing");
  const absolute = /^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(location);
  if (absolute || location.includes("\0") || location.split(/[/\\]/).includes("..")) {
    throw inputError("unsafe_path", "external data must lie in the model's folder", {
      path: [...path, "location"],
      expected: 'a relative path without ".."',
      received: JSON.stringify(location),
    });
  }
  return location;
}

function wholeNumber(text: string, path: Path): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw malformed(path, "not a number of bytes", { received: JSON.stringify(text.slice(0, 40)) });
  }
  return value;
}
