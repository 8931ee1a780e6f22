import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

// Checks against the reference data that lies beside the repository; a user's clone has none.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["packages/*/src/**/*.shared.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
  },
});
