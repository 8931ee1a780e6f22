import type { FigureSource } from "../source.js";

// Lone precision-scalable units in several cell libraries: how far ratios of areas depend on the library.

export type CellLibrary = "nangate45" | "sky130hd" | "asap7" | "ihpSg13g2";

/** `fixed` without Booth recoding, `fixedBooth` with it; `tiledSerialUngrouped` keeps a shift register in every tile. */
export type SynthesisedUnit = "fixed" | "fixedBooth" | "serial" | "composable" | "tiledSerial" | "tiledSerialUngrouped";

/** Area and critical path without clock-to-output and setup. */
export interface SynthesisPoint {
  readonly areaUm2: number;
  readonly delayPs: number;
}

/** `tight` for the shortest delay, `relaxed` for a period of 3 ns or what the library does with ease. */
export type UnitTiming = "tight" | "relaxed";

export interface LibrarySynthesis {
  readonly source: FigureSource;
  /** Units that were synthesised in this library. */
  readonly units: Readonly<Partial<Record<SynthesisedUnit, Readonly<Record<UnitTiming, SynthesisPoint>>>>>;
}

function source(library: string): FigureSource {
  return {
    citation: "our own Verilog of the units, synthesised with Yosys and ABC (rtl.md section 4.2)",
    certainty: "read",
    conditions: `${library}; a lone unit of 8 bit with an accumulator of 24 bit, no wires`,
  };
}

function points(tightUm2: number, tightPs: number, relaxedUm2: number, relaxedPs: number) {
  return {
    tight: { areaUm2: tightUm2, delayPs: tightPs },
    relaxed: { areaUm2: relaxedUm2, delayPs: relaxedPs },
  };
}

export const unitSynthesis: Readonly<Record<CellLibrary, LibrarySynthesis>> = {
  nangate45: {
    source: source("Nangate45, 45 nm"),
    units: {
      fixed: points(1132, 855, 1003, 1348),
      fixedBooth: points(768, 902, 626, 1286),
      serial: points(658, 781, 549, 1275),
      composable: points(2111, 1369, 1875, 1615),
      tiledSerial: points(1009, 1112, 804, 1459),
      // Not synthesised for the shortest delay: the figures at 1 ns, where the grouped unit has its tight ones too.
      tiledSerialUngrouped: points(1441, 1117, 1151, 1492),
    },
  },
  sky130hd: {
    source: source("sky130hd, 130 nm"),
    units: {
      fixed: points(5868, 3261, 5428, 4091),
      serial: points(2984, 3165, 2760, 3967),
      composable: points(10485, 5163, 9493, 6124),
      tiledSerial: points(4407, 4522, 4156, 5458),
    },
  },
  asap7: {
    source: source("ASAP7, 7 nm"),
    units: {
      fixed: points(86.4, 606, 80.3, 916),
      serial: points(42.9, 552, 38.2, 826),
      composable: points(149.4, 1010, 138.5, 1415),
      tiledSerial: points(70.4, 816, 62.9, 1211),
    },
  },
  ihpSg13g2: {
    source: source("IHP SG13G2, 130 nm"),
    units: {
      fixed: points(9564, 3018, 9484, 3218),
      serial: points(5411, 2753, 5276, 3028),
      composable: points(17057, 4651, 16670, 5172),
      tiledSerial: points(7954, 3917, 7771, 4515),
    },
  },
};
