import type { FigureTable } from "../source.js";

/** Energy of an access relative to a 16-bit multiply-accumulate. */
export const eyerissNormalised: FigureTable = {
  source: {
    citation: "Y.-H. Chen et al., Eyeriss, ISCA 2016, table of normalised energy costs",
    certainty: "quoted",
    conditions: "65 nm, 16 bit; buffer of at least 100 KB",
  },
  figures: {
    multiplyAccumulate: { value: 1, unit: "MAC" },
    registerFile: { value: 1, unit: "MAC" },
    processingElementToProcessingElement: { value: 2, unit: "MAC" },
    globalBuffer: { value: 6, unit: "MAC" },
    dram: { value: 200, unit: "MAC" },
  },
};
