import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

// The packages for the browser in a real one; needs Chromium (DOVETAIL_CHROMIUM, /usr/bin/chromium by default).
export default defineConfig({
  ...base,
  test: { ...base.test, include: ["tests/browser/*.test.ts"], hookTimeout: 180_000 },
});
