import * as z from "zod";
import { checkDocument, type ReadOptions, readDocument } from "../documents/document.js";
import {
  type DataMove,
  type MemoryOperand,
  memoriesOf,
  memoryOperands,
  portOf,
  type ZigZagAccelerator,
  type ZigZagMemory,
} from "../zigzag/accelerator.js";

// ZigZag's hardware YAML: memories from the innermost to the outermost, and the operational array.

const directions: Readonly<Record<string, DataMove>> = {
  fh: "writeFromHigh",
  fl: "writeFromLow",
  tl: "readToLow",
  th: "readToHigh",
};

const transferSchema = z
  .string()
  .regex(/^(I[12]|O), ?(fh|fl|tl|th)$/, "expected an operand and a direction, such as I1, tl");
const dimensionSchema = z.string().regex(/^D\d+$/, "expected a dimension of the array, such as D1");
const costSchema = z.number().nonnegative();

const portSchema = z
  .strictObject({
    name: z.string(),
    type: z.enum(["read", "write", "read_write"]),
    bandwidth_min: z.int().positive(),
    bandwidth_max: z.int().positive(),
    allocation: z.array(transferSchema),
  })
  .refine(({ bandwidth_min: least, bandwidth_max: most }) => least <= most, {
    path: ["bandwidth_min"],
    message: "larger than bandwidth_max",
  })
  .refine(({ type, allocation }) => type !== "read" || allocation.every((text) => text.includes("t")), {
    path: ["allocation"],
    message: "a read port cannot carry fh or fl",
  })
  .refine(({ type, allocation }) => type !== "write" || allocation.every((text) => text.includes("f")), {
    path: ["allocation"],
    message: "a write port cannot carry tl or th",
  });

const memorySchema = z.strictObject({
  size: z.int().positive(),
  r_cost: costSchema,
  w_cost: costSchema,
  area: costSchema.nullish(),
  latency: z.int().nonnegative().optional(),
  mem_type: z.string().optional(),
  auto_cost_extraction: z.literal(false).optional(),
  force_double_buffering: z.boolean().optional(),
  operands: z.array(z.enum(memoryOperands)).min(1),
  ports: z.array(portSchema).min(1),
  served_dimensions: z.array(dimensionSchema),
});

const arraySchema = z
  .strictObject({
    dimensions: z.array(dimensionSchema).min(1),
    sizes: z.array(z.int().positive()).min(1),
    unit_energy: costSchema,
    unit_area: costSchema.optional(),
    input_precision: z.array(z.int().positive()).length(2).optional(),
    is_imc: z.literal(false).optional(),
  })
  .refine(({ dimensions, sizes }) => dimensions.length === sizes.length, {
    path: ["sizes"],
    message: "as many sizes as dimensions are needed",
  });

type HardwareDocument = z.infer<typeof hardwareFields>;

const hardwareFields = z.strictObject({
  name: z.string(),
  memories: z.record(z.string(), memorySchema),
  operational_array: arraySchema,
  dataflows: z.unknown().optional(),
});

const hardwareSchema = hardwareFields.superRefine((document, context) => {
  // A field that is wrong in itself has nothing to say of another.
  if (context.issues.length > 0) return;
  const known = document.operational_array.dimensions;
  for (const [name, { served_dimensions: served, operands, ports }] of Object.entries(document.memories)) {
    for (const [index, dimension] of served.entries()) {
      if (known.includes(dimension)) continue;
      context.addIssue({
        code: "custom",
        path: ["memories", name, "served_dimensions", index],
        message: "the array has no such dimension",
        params: { expected: `one of ${known.join(", ")}` },
      });
    }
    for (const [index, { allocation }] of ports.entries()) {
      const stranger = allocation.findIndex((text) => !operands.some((operand) => text.startsWith(`${operand},`)));
      if (stranger < 0) continue;
      context.addIssue({
        code: "custom",
        path: ["memories", name, "ports", index, "allocation", stranger],
        message: "the memory does not hold this operand",
        params: { expected: `one of ${operands.join(", ")}`, received: allocation[stranger] },
      });
    }
  }
  if (context.issues.length > 0) return;
  for (const gap of missingPorts(acceleratorOf(document))) {
    context.addIssue({
      code: "custom",
      path: ["memories", gap.memory, "ports"],
      message: "a transfer has no port",
      params: { expected: `a port that carries ${gap.operand}, ${gap.direction}` },
    });
  }
});

/** Hardware as ZigZag writes it. What only compute-in-memory arrays have, and costs to be estimated, are refused. */
export function readZigZagHardware(text: string, options: ReadOptions = {}): ZigZagAccelerator {
  return acceleratorOf(readDocument(hardwareSchema, text, { ...options, lastKeyCounts: true }));
}

/** The same from an object that is already in memory; complaints carry the path only. */
export function zigzagHardwareOf(value: unknown): ZigZagAccelerator {
  return acceleratorOf(checkDocument(hardwareSchema, value));
}

function acceleratorOf({ name, memories, operational_array: array }: HardwareDocument): ZigZagAccelerator {
  return {
    name,
    memories: Object.entries(memories).map(
      ([memory, fields]): ZigZagMemory => ({
        name: memory,
        sizeBits: fields.size,
        readPj: fields.r_cost,
        writePj: fields.w_cost,
        ...(typeof fields.area === "number" && { area: fields.area }),
        operands: fields.operands,
        ports: fields.ports.map((port) => ({
          name: port.name,
          kind: port.type === "read_write" ? "readWrite" : port.type,
          minBitsPerCycle: port.bandwidth_min,
          maxBitsPerCycle: port.bandwidth_max,
          transfers: port.allocation.map((text) => {
            const [operand = "", direction = ""] = text.split(/, ?/);
            return { operand: operand as MemoryOperand, move: directions[direction]! };
          }),
        })),
        servedDimensions: fields.served_dimensions,
      }),
    ),
    array: {
      dimensions: array.dimensions.map((dimension, index) => ({ name: dimension, size: array.sizes[index]! })),
      unitEnergyPj: array.unit_energy,
      ...(array.unit_area !== undefined && { unitArea: array.unit_area }),
    },
  };
}

interface MissingPort {
  readonly memory: string;
  readonly operand: MemoryOperand;
  readonly direction: string;
}

/** Moves that every mapping needs; partial sums may never move, so their way back is not asked for. */
function missingPorts(accelerator: ZigZagAccelerator): MissingPort[] {
  const missing: MissingPort[] = [];
  for (const operand of memoryOperands) {
    const levels = memoriesOf(accelerator, operand);
    for (const [level, index] of levels.entries()) {
      const memory = accelerator.memories[index]!;
      const needed = operand === "O" ? ["fl"] : ["tl"];
      if (level < levels.length - 1) needed.push(operand === "O" ? "th" : "fh");
      for (const direction of needed) {
        if (portOf(memory, operand, directions[direction]!) !== undefined) continue;
        missing.push({ memory: memory.name, operand, direction });
      }
    }
  }
  return missing;
}
