import { inputError } from "@dovetail/core";
import type { MappingRejection } from "@dovetail/hardware";

/** The error for a mapping that does not fit, or for a layer that has none. */
export function refusal(file: string, rejection: MappingRejection, what = "the mapping does not fit"): Error {
  const { reason, level, dataSpace, dimension, needed, available } = rejection;
  const place = [dimension, dataSpace, level].filter((part) => part !== undefined);
  return inputError("mapping_rejected", `${what}: ${reasons[reason]}`, {
    file,
    path: place.length > 0 ? [place.join(" at ")] : undefined,
    expected: available === undefined ? undefined : `${reason === "factors" ? "" : "at most "}${available}`,
    received: needed === undefined ? undefined : `${needed}`,
  });
}

const reasons: Readonly<Record<MappingRejection["reason"], string>> = {
  factors: "the loops of a dimension do not multiply to its size",
  fanout: "more instances than the array has in this direction",
  storage: "a tensor is kept at a level without storage",
  notKept: "a tensor is kept nowhere",
  capacity: "the tiles exceed the memory",
  utilization: "less is used than the architecture's constraints ask for",
};
