import { scalableUnitAreaUm2 } from "../energy/scalable-unit.js";
import type { Accelerator, AcceleratorUnit } from "./document.js";

// One machine with three kinds of precision-scalable units: memories, bandwidths and freedom of mapping are the same, and
// the units fill the same area. What remains is the difference of the units.

/** `composable`: Bit Fusion's; `serial`: Stripes'; `tiledSerial`: 2-in-1's. */
export const scalableMachineKinds = ["tiledSerial", "composable", "serial"] as const;

export type ScalableMachineKind = (typeof scalableMachineKinds)[number];

export interface ScalableMachineOptions {
  readonly kind: ScalableMachineKind;
  /** Units of this machine with one reduction tree and one accumulator: 1 or 16. Default 16. */
  readonly sharing?: number | undefined;
  /** Area of the array. Default: that of Bit Fusion's 512 units. */
  readonly arrayAreaUm2?: number | undefined;
}

/** Bit Fusion's array: 16 rows of 32. */
const fusionUnits = 512;

/** Area of Bit Fusion's 512 units, so many of which share an accumulator. */
export function fusionArrayAreaUm2(sharing = 16): number {
  return fusionUnits * scalableUnitAreaUm2({ kind: "composable", sharingUnits: sharing });
}

/**
 * A machine with Bit Fusion's memories (its simulator, hsharma35/bitfusion) and as many units of a kind as fit the area of
 * an array: a power of two of columns, about twice as many as rows. Operands are read from the same buffers through the
 * same ports whatever the units; what a kind needs more of is charged in accesses and in time.
 */
export function scalableMachine({ kind, sharing = 16, arrayAreaUm2 }: ScalableMachineOptions): Accelerator {
  const fitting = Math.floor(
    (arrayAreaUm2 ?? fusionArrayAreaUm2()) / scalableUnitAreaUm2({ kind, sharingUnits: sharing }),
  );
  const columns = 2 ** Math.round(Math.log2(Math.sqrt(2 * fitting)));
  const rows = Math.floor(fitting / columns);
  return {
    name: "precision-scalable",
    title: `Machine with ${kind} units`,
    source: "memories as in Bit Fusion's simulator (hsharma35/bitfusion, commit 04ec1c8)",
    technologyNm: 45,
    clockMhz: 500,
    levels: [
      { name: "DRAM", memory: { kind: "dram", type: "LPDDR4", widthBits: 64, bitsPerCycle: 192 } },
      { name: "inputBuffer", memory: { kind: "sram", bytes: 32768, widthBits: 512, sideBySide: 16, stacked: 1 } },
      { name: "weightBuffer", memory: { kind: "sram", bytes: 65536, widthBits: 16384, sideBySide: 64, stacked: 1 } },
      {
        name: "outputBuffer",
        memory: {
          kind: "sram",
          bytes: 16384,
          widthBits: 1024,
          wordBits: 32,
          sideBySide: 16,
          stacked: 1,
          bitsPerCycle: 2048,
        },
      },
      { name: "columns", fanout: { x: columns, y: 1, neighbourLinks: false } },
      { name: "rows", fanout: { x: 1, y: rows, neighbourLinks: false } },
    ],
    unit: { ...units[kind], ...(sharing !== 16 && { sharing }) },
    constraints: {
      levels: [
        { level: "DRAM", keep: ["Weights", "Inputs", "Outputs"] },
        { level: "inputBuffer", keep: ["Inputs"], bypass: ["Weights", "Outputs"] },
        { level: "weightBuffer", keep: ["Weights"], bypass: ["Inputs", "Outputs"] },
        { level: "outputBuffer", keep: ["Outputs"], bypass: ["Weights", "Inputs"] },
        { level: "columns", temporal: { dimensions: [] }, spatialX: { dimensions: ["M", "P", "Q"] } },
        { level: "rows", temporal: { dimensions: [] }, spatialY: { dimensions: ["C", "R", "S", "P", "Q"] } },
      ],
    },
    published: [],
    notes: [],
  };
}

const units: Readonly<Record<ScalableMachineKind, AcceleratorUnit>> = {
  tiledSerial: { kind: "tiledSerial", weightBits: 16, inputBits: 16 },
  composable: { kind: "composable", weightBits: 8, inputBits: 8 },
  serial: { kind: "serial", weightBits: 8, inputBits: 8, serialOperand: "weights" },
};
