import { inputError } from "@dovetail/core";
import { registerFile } from "./register-file.js";
import { type MemoryFigures, sram, sramRange } from "./sram.js";

/**
 * A buffer made of equal one-port banks. `sideBySide` banks share a row and are accessed together; `stacked` ones hold
 * different rows, and one of them is accessed. Wires and decoders between banks are in no table and cost nothing.
 * Banks below CACTI's floor are scaled down by Accelergy's rule (`registerFile`, whose area is that of registers).
 *
 * @throws DovetailError `no_energy_data` where a bank is outside the tables, `bank_size` where banks do not divide the
 * buffer into whole rows.
 */
export function bankedMemory(options: {
  readonly bytes: number;
  /** Bits of a row over all banks side by side. */
  readonly widthBits: number;
  readonly technologyNm: number;
  readonly sideBySide?: number | undefined;
  readonly stacked?: number | undefined;
}): MemoryFigures {
  const { bytes, widthBits, technologyNm, sideBySide = 1, stacked = 1 } = options;
  const bankBytes = bytes / (sideBySide * stacked);
  const bankBits = widthBits / sideBySide;
  if (!Number.isInteger(bankBits) || !Number.isInteger((bankBytes * 8) / bankBits)) {
    throw inputError("bank_size", "the banks do not divide the buffer into whole rows", {
      expected: "a size and a width that are multiples of the number of banks",
      received: `${bytes} bytes in rows of ${widthBits} bit, ${sideBySide} side by side, ${stacked} stacked`,
    });
  }
  const floor = sramRange(technologyNm);
  const isSmall = bankBytes < floor.capacityBytes[0] || bankBits < floor.widthBits[0];
  const bank = isSmall
    ? registerFile({ words: (bankBytes * 8) / bankBits, widthBits: bankBits, technologyNm })
    : sram({ bytes: bankBytes, widthBits: bankBits, technologyNm });
  const banks = sideBySide * stacked;
  return {
    readPj: bank.readPj * sideBySide,
    writePj: bank.writePj * sideBySide,
    areaMm2: bank.areaMm2 * banks,
    leakageMw: bank.leakageMw * banks,
    source: bank.source,
  };
}
