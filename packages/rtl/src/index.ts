/**
 * Arithmetic units bit for bit.
 *
 * @module rtl
 */

export { type BoothDigit, boothDigits } from "./functional/booth.js";
export { createFixedUnit, type FixedUnitOptions } from "./functional/fixed.js";
export { createFusionUnit, type FusionUnitOptions } from "./functional/fusion.js";
export { type MacUnit, type MacUnitOptions, multiply, type Precision, type Products } from "./functional/mac-unit.js";
export {
  createUnit,
  measurePace,
  type ThroughputRow,
  throughputTable,
  type UnitName,
  unitNames,
} from "./functional/pace.js";
export {
  createPeLine,
  multiplyRow,
  type PeLine,
  type PeLineOptions,
  slidingInputs,
} from "./functional/pe-line.js";
export {
  createRebuildEngine,
  encodeCoefficient,
  type RebuildEngine,
  type RebuildEngineOptions,
} from "./functional/rebuild-engine.js";
export {
  type Basis,
  createRebuildingLine,
  type LineResult,
  type RebuildingLine,
  type RebuildingLineOptions,
  type RowPair,
} from "./functional/rebuilding-line.js";
export { createDoublySerialUnit, createSerialUnit, type SerialUnitOptions } from "./functional/serial.js";
export {
  type AccumulatingUnit,
  type AddUnitOptions,
  createAddUnit,
  createShiftUnit,
  encodeShiftWeight,
  type RequantizerOptions,
  requantize,
  type ShiftUnitOptions,
  type ShiftWeightFields,
} from "./functional/shift-add.js";
export { createTiledUnit, type TiledUnitOptions } from "./functional/tiled.js";
