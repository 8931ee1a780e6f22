import { defineConfig } from "vitest/config";
import base from "./vitest.config.js";

// Checks that need a WebGPU adapter. Without a GPU, Debian's chromium brings one in software:
// VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json npm run test:webgpu
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ["packages/*/src/**/*.webgpu.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
  },
});
