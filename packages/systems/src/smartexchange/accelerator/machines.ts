import type { Accelerator, AcceleratorLevel } from "@dovetail/hardware";

// SmartExchange's accelerator and its four baselines (ISCA 2020): 28 nm and 1 GHz, the paper's unit energies, 64 GB/s,
// about 772 KB on chip, 1,024 multipliers of 8 bit or 8,192 bit-serial ones. The paper gives totals of its baselines; their
// structure here is ours. SmartExchange's is that of accelerators/smartexchange.yaml, which a test holds it to.

export const machineNames = ["DianNao", "SCNN", "Cambricon-X", "Bit-Pragmatic", "SmartExchange"] as const;
export type MachineName = (typeof machineNames)[number];
export type BaselineName = Exclude<MachineName, "SmartExchange">;
export const baselineNames = machineNames.filter((name): name is BaselineName => name !== "SmartExchange");

/** Baselines that skip zero weights wherever they are. */
export const unstructuredNames = ["SCNN", "Cambricon-X"] as const satisfies BaselineName[];

/** pJ to read or write 8 bit: of the smallest banks (2 KB) and of the largest (16 KB). */
const smallBankPj = 1.36;
const largeBankPj = 2.45;
/** pJ a bit of a register: the paper's table has none, Aladdin's at 40 nm. */
const registerPj = 0.009;

interface Sram {
  readonly bytes: number;
  readonly widthBits: number;
  readonly bytePj: number;
  readonly bitsPerCycle: number;
  readonly source: string;
}

function sram(name: string, { bytes, widthBits, bytePj, bitsPerCycle, source }: Sram): AcceleratorLevel {
  const accessPj = Number(((widthBits / 8) * bytePj).toPrecision(12));
  return {
    name,
    memory: { kind: "given", bytes, widthBits, readPj: accessPj, writePj: accessPj, bitsPerCycle, source },
  };
}

function registers(name: string, bytes: number, bits: number, source: string): AcceleratorLevel {
  const accessPj = Number((bits * registerPj).toPrecision(12));
  return {
    name,
    memory: { kind: "given", bytes, widthBits: bits, wordBits: bits, readPj: accessPj, writePj: accessPj, source },
  };
}

const noRegister = "the table has no register: Aladdin's at 40 nm, 0.009 pJ a bit";

const dram: AcceleratorLevel = {
  name: "DRAM",
  memory: {
    kind: "given",
    widthBits: 64,
    readPj: 800,
    writePj: 800,
    bitsPerCycle: 512,
    source: "ISCA 2020: 100 pJ per 8 bit; the bandwidth of 64 GB/s is our assumption",
  },
};

const inputBuffer = sram("inputBuffer", {
  bytes: 524288,
  widthBits: 1024,
  bytePj: largeBankPj,
  bitsPerCycle: 4096,
  source: "ISCA 2020: 2.45 pJ per 8 bit, the largest bank (32 banks of 16 KB)",
});

const outputBuffer = sram("outputBuffer", {
  bytes: 4096,
  widthBits: 1024,
  bytePj: smallBankPj,
  bitsPerCycle: 2048,
  source: "ISCA 2020: 1.36 pJ per 8 bit, the smallest bank (2 banks of 2 KB)",
});

const accumulators = registers("accumulators", 12, 24, noRegister);

export const fanout = (name: string, x: number, y = 1): AcceleratorLevel => ({
  name,
  fanout: { x, y, neighbourLinks: false },
});

/** Slices of SmartExchange's machine: an output channel each, all on the same row of weights. */
export const filtersInStep = 64;

const common = {
  source: "SmartExchange (ISCA 2020), its baselines at equal compute, memory and bandwidth; the structure is ours",
  technologyNm: 28,
  clockMhz: 1000,
  published: [],
  notes: [],
} as const;

export const multiplier = {
  kind: "fixed",
  weightBits: 8,
  inputBits: 8,
  given: { energyPj: 0.143, source: "ISCA 2020: multiply-accumulate of 8 bit" },
} as const;

const term = {
  energyPj: 0.038,
  source: "ISCA 2020: adder 0.019 pJ per 8 bit; a term is an addition of 16 bit",
} as const;

/** 64 neurons, 16 synapses each: of DianNao, Cambricon-X and, with windows of 8, Bit-Pragmatic. */
const synapticLevels = (windows: readonly AcceleratorLevel[]): AcceleratorLevel[] => [
  dram,
  inputBuffer,
  outputBuffer,
  fanout("neurons", 64),
  sram("weightBuffer", {
    bytes: 4096,
    widthBits: 128,
    bytePj: smallBankPj,
    bitsPerCycle: 256,
    source: "ISCA 2020: 1.36 pJ per 8 bit",
  }),
  ...windows,
  accumulators,
  fanout("synapses", 1, 16),
];

const none = { dimensions: [] };
const all = ["Weights", "Inputs", "Outputs"];

const synapticConstraints = (windows: readonly string[]) => ({
  levels: [
    { level: "DRAM", keep: all },
    { level: "inputBuffer", keep: ["Inputs"], bypass: ["Weights", "Outputs"] },
    { level: "outputBuffer", keep: ["Outputs"], bypass: ["Weights", "Inputs"] },
    { level: "neurons", temporal: none, spatialX: { dimensions: ["M", "G"] } },
    { level: "weightBuffer", keep: ["Weights"], bypass: ["Inputs", "Outputs"] },
    ...windows.map((level) => ({ level, temporal: none, spatialX: { dimensions: ["Q", "P"] } })),
    {
      level: "accumulators",
      keep: ["Outputs"],
      bypass: ["Weights", "Inputs"],
      temporal: { dimensions: ["C", "R", "S"] },
    },
    { level: "synapses", temporal: none, spatialY: { dimensions: ["C", "R", "S"] } },
  ],
});

const indexed = { format: "indexed", indexBits: 4 } as const;

/** Four words of 12 bits (with their indices) feed 4 × 4 products a cycle; as many again for what is written meanwhile. */
const scnnPortBits = 2 * 4 * 12;

const baselines: Readonly<Record<BaselineName, Accelerator>> = {
  DianNao: {
    ...common,
    name: "diannao",
    title: "DianNao, 1,024 multipliers",
    levels: synapticLevels([]),
    unit: multiplier,
    constraints: synapticConstraints([]),
  },
  "Cambricon-X": {
    ...common,
    name: "cambricon-x",
    title: "Cambricon-X, 1,024 multipliers",
    levels: synapticLevels([]),
    unit: multiplier,
    sparsity: { skips: ["Weights"], gates: [], skippingLevels: ["accumulators"], stored: { Weights: indexed } },
    constraints: synapticConstraints([]),
  },
  "Bit-Pragmatic": {
    ...common,
    name: "bit-pragmatic",
    title: "Bit-Pragmatic, 8,192 serial lanes",
    levels: synapticLevels([fanout("windows", 8)]),
    unit: {
      kind: "essentialBits",
      encoding: "bits",
      weightBits: 8,
      inputBits: 8,
      serialOperand: "inputs",
      lockstep: 16,
      given: term,
    },
    constraints: synapticConstraints(["windows"]),
  },
  SCNN: {
    ...common,
    name: "scnn",
    title: "SCNN, 1,024 multipliers",
    levels: [
      dram,
      fanout("elements", 8, 8),
      sram("inputRam", {
        bytes: 6144,
        widthBits: 64,
        bytePj: smallBankPj,
        bitsPerCycle: scnnPortBits,
        source: "ISCA 2020: 1.36 pJ per 8 bit",
      }),
      sram("weightFifo", {
        bytes: 2048,
        widthBits: 32,
        bytePj: smallBankPj,
        bitsPerCycle: scnnPortBits,
        source: "ISCA 2020: 1.36 pJ per 8 bit",
      }),
      registers("accumulators", 4096, 24, "banks of 128 bytes, smaller than any in the table: registers of Aladdin"),
      fanout("multipliers", 4, 4),
    ],
    unit: multiplier,
    sparsity: {
      skips: ["Weights", "Inputs"],
      gates: [],
      // Activations stay while all weights of their channel pass: no operand is fetched for a product that is skipped.
      skippingLevels: ["inputRam", "weightFifo", "accumulators"],
      stored: { Weights: indexed, Inputs: indexed, Outputs: indexed },
    },
    constraints: {
      levels: [
        { level: "DRAM", keep: all },
        {
          level: "elements",
          temporal: none,
          spatialX: { dimensions: ["Q", "P", "M"] },
          spatialY: { dimensions: ["P", "Q", "M"] },
        },
        { level: "inputRam", keep: ["Inputs"], bypass: ["Weights", "Outputs"] },
        { level: "weightFifo", keep: ["Weights"], bypass: ["Inputs", "Outputs"] },
        { level: "accumulators", keep: ["Outputs"], bypass: ["Weights", "Inputs"] },
        {
          level: "multipliers",
          temporal: none,
          spatialX: { dimensions: ["M"] },
          spatialY: { dimensions: ["P", "Q", "N"] },
        },
      ],
    },
  },
};

/** Slices (output channels) × lines (input channels, kernel rows) × bit-serial multipliers (outputs of a row). */
export const smartExchange: Accelerator = {
  ...common,
  name: "smartexchange",
  title: "SmartExchange accelerator",
  source: "Y. Zhao et al., ISCA 2020; sizes and unit energies recalled",
  levels: [
    dram,
    inputBuffer,
    outputBuffer,
    fanout("slices", 64),
    sram("weightBuffer", {
      bytes: 4096,
      widthBits: 64,
      bytePj: smallBankPj,
      bitsPerCycle: 128,
      source: "ISCA 2020: 1.36 pJ per 8 bit (2 banks of 2 KB in each slice)",
    }),
    registers("inputFifo", 512, 8, noRegister),
    fanout("multipliers", 8),
    accumulators,
    fanout("lines", 1, 16),
  ],
  unit: {
    kind: "essentialBits",
    encoding: "booth",
    weightBits: 8,
    inputBits: 8,
    serialOperand: "inputs",
    lockstep: 8,
    given: term,
  },
  sparsity: {
    skips: ["Weights", "Inputs"],
    gates: [],
    skippingLevels: ["inputFifo", "accumulators"],
    rows: {
      indexBitPj: 0.17,
      outputsTogether: 8,
      filtersInStep,
      filtersPerPattern: 32,
      sharedLevels: ["inputBuffer"],
      source:
        "ISCA 2020: index buffers of the smallest bank, 1.36 pJ per 8 bit; zero rows are the same in groups of 32 filters (public code); that 64 slices work in step is our assumption",
    },
    rebuild: {
      engines: 16,
      coefficientsPerCycle: 1,
      additionPj: 0.019,
      source: "ISCA 2020: an engine a line, adder 0.019 pJ per 8 bit; a coefficient a cycle is our assumption",
    },
    stored: {
      Weights: { format: "structured" },
      Inputs: { format: "rowIndexed" },
      Outputs: { format: "rowIndexed" },
    },
  },
  constraints: {
    levels: [
      { level: "DRAM", keep: all },
      { level: "inputBuffer", keep: ["Inputs"], bypass: ["Weights", "Outputs"] },
      { level: "outputBuffer", keep: ["Outputs"], bypass: ["Weights", "Inputs"] },
      { level: "slices", temporal: none, spatialX: { dimensions: ["M", "G"] } },
      { level: "weightBuffer", keep: ["Weights"], bypass: ["Inputs", "Outputs"] },
      { level: "inputFifo", keep: ["Inputs"], bypass: ["Weights", "Outputs"], temporal: { dimensions: ["S"] } },
      { level: "multipliers", temporal: none, spatialX: { dimensions: ["Q", "P"] } },
      {
        level: "accumulators",
        keep: ["Outputs"],
        bypass: ["Weights", "Inputs"],
        temporal: { dimensions: ["C", "R", "S"] },
      },
      { level: "lines", temporal: none, spatialY: { dimensions: ["C", "R"] } },
    ],
  },
};

export const machines: Readonly<Record<MachineName, Accelerator>> = { ...baselines, SmartExchange: smartExchange };
