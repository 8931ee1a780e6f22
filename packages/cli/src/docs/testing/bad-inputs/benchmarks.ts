// For tests only: bad questions to HW-NAS-Bench, and bad files for it.
import { type BadInputs, file } from "./bad-input.js";

export const badBenchmarks: BadInputs = {
  title: "HW-NAS-Bench",
  inputs: [
    { what: "an index beyond the space", line: "hwnas query 15625", exitCode: 2 },
    { what: "too few operators", line: "hwnas query k3_e1,skip --space fbnet", exitCode: 2 },
    { what: "an unknown metric", line: "hwnas search --metric tpu_latency", exitCode: 2 },
    {
      what: "a device's table that is none",
      prepare: file("host.json", "{}"),
      line: "hwnas query 5 --device host.json",
      exitCode: 2,
    },
    {
      what: "a pickle that would run something",
      prepare: file("evil.pickle", "cos\nsystem\n(S'touch pwned'\ntR."),
      line: "hwnas import evil.pickle -o tables",
      exitCode: 2,
    },
    {
      what: "a pickle that is cut off",
      prepare: file("cut.pickle", Uint8Array.of(0x80, 0x04, 0x7d)),
      line: "hwnas import cut.pickle -o tables",
      exitCode: 2,
    },
  ],
};
