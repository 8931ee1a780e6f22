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
