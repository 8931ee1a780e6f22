import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

// The model exact against the simulator on 10,000 random small layers; `npm test` draws fewer.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["packages/hardware/src/exact/*.property.test.ts"],
    env: { DOVETAIL_CASES: "10000" },
    testTimeout: 600_000,
  },
});
