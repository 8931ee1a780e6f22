import { checkKeeping, type Limits, type RejectionRecord, reject } from "../analysis/check.js";
import type { MappingCode } from "../analysis/code.js";
import type { Axes } from "./axes.js";

// Whether a mapping fits. As in the model *timeloop*, but tiles are measured in words that exist: no gaps, and no more
// than the layer has.

/** Whether a mapping that is laid out fits; `tile`: words of each tensor's tile, [level][data space]. Allocates nothing. */
export function checkExact(
  axes: Axes,
  limits: Limits,
  code: MappingCode,
  tile: Float64Array,
  rejection: RejectionRecord,
): boolean {
  const units = axes.instances[axes.tables.levelCount]!;
  return (
    checkFanouts(axes, rejection) &&
    checkKeeping(axes.tables, code, rejection) &&
    checkCapacity(axes, limits, code, tile, rejection) &&
    (units >= limits.minUnits || reject(rejection, "utilization", -1, -1, -1, limits.minUnits, units))
  );
}

function checkFanouts({ tables, usedX, usedY }: Axes, rejection: RejectionRecord): boolean {
  for (let level = 0; level < tables.levelCount; level++) {
    const x = usedX[level]!;
    const y = usedY[level]!;
    if (x > tables.fanoutX[level]!) return reject(rejection, "fanout", level, -1, -1, x, tables.fanoutX[level]!);
    if (y > tables.fanoutY[level]!) return reject(rejection, "fanout", level, -1, -1, y, tables.fanoutY[level]!);
  }
  return true;
}

function checkCapacity(
  { tables }: Axes,
  limits: Limits,
  code: MappingCode,
  tile: Float64Array,
  rejection: RejectionRecord,
): boolean {
  const spaceCount = tables.spaces.length;
  for (let level = 0; level < tables.levelCount; level++) {
    const capacity = limits.capacity[level]!;
    if (capacity === Number.POSITIVE_INFINITY) continue;
    let needed = 0;
    let largest = -1;
    let largestNeed = 0;
    for (let space = 0; space < spaceCount; space++) {
      const cell = level * spaceCount + space;
      if (code.keep[cell] !== 1) continue;
      const need = tile[cell]! * limits.weight[cell]!;
      needed += need;
      if (need > largestNeed) {
        largestNeed = need;
        largest = space;
      }
    }
    if (needed > capacity) return reject(rejection, "capacity", level, largest, -1, needed, capacity);
    const minimum = limits.minimum[level]!;
    if (needed < minimum) return reject(rejection, "utilization", level, -1, -1, minimum, needed);
  }
  return true;
}
