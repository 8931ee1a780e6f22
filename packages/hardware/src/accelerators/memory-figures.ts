import type { Storage } from "../architecture/architecture.js";
import { dram } from "../energy/dram.js";
import { bankedMemory } from "../energy/memory-bank.js";
import { registerFile } from "../energy/register-file.js";
import type { MemoryFigures } from "../energy/sram.js";
import type { AcceleratorMemory } from "./document.js";

/** A memory with its figures, and where these are from. */
export interface FiguredMemory {
  readonly storage: Storage;
  readonly source: string;
  /** Capacity of one instance; absent when unbounded. */
  readonly bytes?: number | undefined;
}

/** @throws DovetailError `no_energy_data` or `unknown_figure` where the tables have nothing. */
export function memoryFigures(
  memory: AcceleratorMemory,
  { technologyNm, clockMhz }: { readonly technologyNm: number; readonly clockMhz: number },
): FiguredMemory {
  switch (memory.kind) {
    case "dram": {
      const { energyPjPerBit, source } = dram({ kind: memory.type });
      const accessPj = memory.widthBits * energyPjPerBit;
      const storage = {
        widthBits: memory.widthBits,
        readPj: accessPj,
        writePj: accessPj,
        sharedBitsPerCycle: memory.bitsPerCycle,
      };
      return { storage, source: source.citation };
    }
    case "sram": {
      const figures = bankedMemory({ ...memory, technologyNm });
      const { bytes, widthBits, wordBits, bitsPerCycle = widthBits } = memory;
      const entries = (bytes * 8) / widthBits;
      const storage = {
        entries,
        widthBits,
        ...(wordBits !== undefined && { wordBits }),
        sharedBitsPerCycle: bitsPerCycle,
        ...costs(figures, clockMhz),
      };
      return { storage, source: figures.source.citation, bytes };
    }
    case "registers": {
      const { words, wordBits } = memory;
      const figures = registerFile({ words, widthBits: wordBits, technologyNm });
      const port = { readBitsPerCycle: wordBits, writeBitsPerCycle: wordBits };
      const storage = { entries: words, widthBits: wordBits, wordBits, ...port, ...costs(figures, clockMhz) };
      return { storage, source: figures.source.citation, bytes: (words * wordBits) / 8 };
    }
    case "given": {
      const { bytes, widthBits, wordBits, readPj, writePj, areaUm2, bitsPerCycle, source } = memory;
      const storage = {
        ...(bytes !== undefined && { entries: Math.floor((bytes * 8) / widthBits) }),
        widthBits,
        readPj,
        writePj,
        ...(wordBits !== undefined && { wordBits }),
        ...(areaUm2 !== undefined && { areaUm2 }),
        ...(bitsPerCycle !== undefined && { sharedBitsPerCycle: bitsPerCycle }),
      };
      return { storage, source, bytes };
    }
  }
}

function costs(
  figures: MemoryFigures,
  clockMhz: number,
): Pick<Storage, "readPj" | "writePj" | "leakagePjPerCycle" | "areaUm2"> {
  return {
    readPj: figures.readPj,
    writePj: figures.writePj,
    // mW over 1e6 cycles a second: 1 mW = 1e9 pJ/s.
    leakagePjPerCycle: (figures.leakageMw * 1e3) / clockMhz,
    areaUm2: figures.areaMm2 * 1e6,
  };
}
