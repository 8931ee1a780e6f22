import { inputError } from "@dovetail/core";
import { figure } from "./source-lookup.js";
import { type MemoryFigures, sram, sramRange } from "./sram.js";
import { aladdin } from "./tables/aladdin.js";

const registerNodeNm = 40;

/**
 * A small memory beside a processing element (scratchpad, register file) with one read and one write a cycle.
 *
 * Energy: Accelergy's rule below CACTI's floor (cost-model.md section 8.5): the energy of the smallest tabulated SRAM
 * that is at least as deep and as wide, times (0.7 · width ratio + 0.3) · depth ratio^0.78; leakage times both ratios.
 * Area: one register a bit (Aladdin, 5.98 µm² at 40 nm), shrunk or grown with the square of the feature size; a compiled
 * memory of some hundred words would be smaller, so this is an upper estimate.
 * Throws `no_energy_data` where the SRAM that anchors the rule is outside the table.
 */
export function registerFile(options: {
  readonly words: number;
  readonly widthBits: number;
  readonly technologyNm: number;
}): MemoryFigures {
  const { words, widthBits, technologyNm } = options;
  if (!(words >= 1 && widthBits >= 1)) {
    throw inputError("no_energy_data", "a register file has at least one word of one bit", {
      received: `${words} words of ${widthBits} bit`,
    });
  }
  const range = sramRange(technologyNm);
  const anchorWidthBits = Math.max(widthBits, range.widthBits[0]);
  const anchorBytes = Math.max(range.capacityBytes[0], (words * anchorWidthBits) / 8);
  const anchor = sram({ bytes: anchorBytes, widthBits: anchorWidthBits, technologyNm });
  const widthRatio = widthBits / anchorWidthBits;
  const depthRatio = (words * anchorWidthBits) / (8 * anchorBytes);
  const dynamic = (0.7 * widthRatio + 0.3) * depthRatio ** 0.78;
  const bitAreaUm2 = figure(aladdin, "registerBitArea").value * (technologyNm / registerNodeNm) ** 2;
  return {
    readPj: anchor.readPj * dynamic,
    writePj: anchor.writePj * dynamic,
    areaMm2: words * widthBits * bitAreaUm2 * 1e-6,
    leakageMw: anchor.leakageMw * widthRatio * depthRatio,
    source: {
      citation: `${anchor.source.citation}; scaled down by Accelergy's rule; area from ${aladdin.source.citation}`,
      certainty: anchor.source.certainty,
      conditions: `anchor ${anchorBytes} bytes, ${anchorWidthBits} bit, ${technologyNm} nm; ${anchor.source.conditions}`,
    },
  };
}
