import { inputError } from "@dovetail/core";
import { type CellLibrary, type SynthesisedUnit, type UnitTiming, unitSynthesis } from "./tables/unit-synthesis.js";

/**
 * Area of a lone unit over that of the fixed 8×8 unit in the same cell library. The multiplier that it is held against
 * decides: with Booth recoding it is about a third smaller than without.
 *
 * @throws DovetailError `no_energy_data` where the unit or the baseline was not synthesised in that library: Booth's, and
 * tiles that are not grouped, in Nangate45 alone.
 */
export function unitAreaRatio(options: {
  readonly unit: SynthesisedUnit;
  readonly baseline: "fixed" | "fixedBooth";
  readonly library: CellLibrary;
  readonly timing: UnitTiming;
}): number {
  const { unit, baseline, library, timing } = options;
  const { units } = unitSynthesis[library];
  const [own, base] = [units[unit], units[baseline]];
  if (own !== undefined && base !== undefined) return own[timing].areaUm2 / base[timing].areaUm2;
  throw inputError("no_energy_data", "no source: not synthesised in this cell library", {
    expected: `one of ${Object.keys(units).join(", ")}`,
    received: `${own === undefined ? unit : baseline} in ${library}`,
  });
}
