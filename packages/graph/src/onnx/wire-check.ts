import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type DovetailError, inputError } from "@dovetail/core";
import { GraphProtoSchema, ModelProtoSchema, NodeProtoSchema } from "./generated/onnx_pb.js";
import type { ReadLimits } from "./limits.js";

/**
 * Walks over a model's bytes without building anything: every length fits, every wire type is the schema's, text is
 * UTF-8, and the counts stay within the limits. Throws an input error with the byte offset and the field's path.
 * What passes can be decoded without surprises.
 */
export function checkWire(bytes: Uint8Array, limits: ReadLimits): void {
  const walker = new Walker(bytes, limits);
  walker.message(ModelProtoSchema, bytes.byteLength, 0);
}

type PathStep = string | number;

class Walker {
  private readonly reader: BinaryReader;
  private readonly path: PathStep[] = [];
  private messages = 0;
  private nodes = 0;
  private listValues = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly limits: ReadLimits,
  ) {
    this.reader = new BinaryReader(bytes);
  }

  message(schema: DescMessage, end: number, graphDepth: number): void {
    this.count("messages", 1);
    if (schema === NodeProtoSchema) this.count("nodes", 1);
    const depth = schema === GraphProtoSchema ? graphDepth + 1 : graphDepth;
    if (depth > this.limits.graphDepth) throw this.limitExceeded("graphDepth", depth);
    const fields = fieldsByNumber(schema);
    const indices = new Map<number, number>();
    while (this.reader.pos < end) {
      const [number, wireType] = this.guarded(() => this.reader.tag());
      const field = fields.get(number);
      if (!field) {
        this.guarded(() => this.reader.skip(wireType, number));
      } else if (field.fieldKind === "list" && field.listKind === "message") {
        const index = indices.get(number) ?? 0;
        indices.set(number, index + 1);
        this.path.push(field.name, index);
        this.field(field, wireType, end, depth);
        this.path.length -= 2;
      } else {
        this.path.push(field.name);
        this.field(field, wireType, end, depth);
        this.path.length -= 1;
      }
      if (this.reader.pos > end) throw this.malformed("the field runs past the end of its message");
    }
  }

  private field(field: DescField, wireType: WireType, end: number, graphDepth: number): void {
    const scalar = scalarOf(field);
    const expected = wireTypeOf(scalar);
    if (field.fieldKind === "list" && expected !== WireType.LengthDelimited && wireType === WireType.LengthDelimited) {
      this.packed(expected, this.length(end));
    } else if (wireType !== expected) {
      throw this.malformed("wrong wire type", { expected: `${WireType[expected]}`, received: `${WireType[wireType]}` });
    } else if (field.message) {
      this.message(field.message, this.length(end), graphDepth);
    } else {
      if (field.fieldKind === "list") this.count("listValues", 1);
      this.single(scalar, wireType, field.number, end);
    }
  }

  private single(scalar: ScalarType, wireType: WireType, number: number, end: number): void {
    if (wireType !== WireType.LengthDelimited) {
      this.guarded(() => this.reader.skip(wireType, number));
      return;
    }
    const fieldEnd = this.length(end);
    if (scalar === ScalarType.STRING) this.text(fieldEnd);
    this.reader.pos = fieldEnd;
  }

  /** Reads a length prefix and returns where its content ends. */
  private length(end: number): number {
    const length = this.guarded(() => this.reader.uint32());
    const fieldEnd = this.reader.pos + length;
    if (fieldEnd > end) {
      throw this.malformed("the file is cut short or a length is wrong", {
        expected: `at most ${end - this.reader.pos} bytes here`,
        received: `a field of ${length} bytes`,
      });
    }
    return fieldEnd;
  }

  private packed(wireType: WireType, fieldEnd: number): void {
    const { bytes, reader } = this;
    let values = 0;
    if (wireType === WireType.Varint) {
      for (let position = reader.pos; position < fieldEnd; position++) if (bytes[position]! < 0x80) values++;
      if (fieldEnd > reader.pos && bytes[fieldEnd - 1]! >= 0x80) throw this.malformed("the last number is cut short");
      this.varints(reader.pos, fieldEnd);
    } else {
      const width = wireType === WireType.Bit32 ? 4 : 8;
      values = (fieldEnd - reader.pos) / width;
      if (!Number.isInteger(values))
        throw this.malformed(`the packed numbers are not whole multiples of ${width} bytes`);
    }
    this.count("listValues", values);
    reader.pos = fieldEnd;
  }

  /** No varint is longer than the ten bytes of a 64-bit number. */
  private varints(start: number, end: number): void {
    let length = 0;
    for (let position = start; position < end; position++) {
      length = this.bytes[position]! < 0x80 ? 0 : length + 1;
      if (length >= 10) throw this.malformed("a number of more than ten bytes");
    }
  }

  private text(fieldEnd: number): void {
    try {
      utf8.decode(this.bytes.subarray(this.reader.pos, fieldEnd));
    } catch {
      throw this.malformed("the text is not UTF-8");
    }
  }

  private count(what: "messages" | "nodes" | "listValues", by: number): void {
    this[what] += by;
    if (this[what] > this.limits[what]) throw this.limitExceeded(what, this[what]);
  }

  private limitExceeded(limit: keyof ReadLimits, received: number): DovetailError {
    return inputError("limit_exceeded", `the model is larger than the limit "${limit}"`, {
      path: [...this.path],
      expected: `at most ${this.limits[limit]}`,
      received: `${received}`,
    });
  }

  private malformed(message: string, details: { expected?: string; received?: string } = {}): DovetailError {
    return inputError("malformed_model", `byte ${this.reader.pos}: ${message}`, {
      path: [...this.path],
      hint: "the file is damaged, or not an ONNX model",
      ...details,
    });
  }

  /** The protobuf reader throws plain errors; here they become ours, with the place. */
  private guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.malformed(error instanceof Error ? error.message : "unreadable");
    }
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const fieldTables = new Map<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsByNumber(schema: DescMessage): ReadonlyMap<number, DescField> {
  let table = fieldTables.get(schema);
  if (!table) {
    table = new Map(schema.fields.map((field) => [field.number, field]));
    fieldTables.set(schema, table);
  }
  return table;
}

function scalarOf(field: DescField): ScalarType {
  if (field.scalar !== undefined) return field.scalar;
  return field.enum ? ScalarType.INT32 : ScalarType.BYTES;
}

function wireTypeOf(scalar: ScalarType): WireType {
  switch (scalar) {
    case ScalarType.FLOAT:
      return WireType.Bit32;
    case ScalarType.DOUBLE:
      return WireType.Bit64;
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    default:
      return WireType.Varint;
  }
}
