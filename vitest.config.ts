import { defineConfig } from "vitest/config";

const conditions = ["source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.shared.test.ts", "**/*.webgpu.test.ts"],
    pool: "forks",
    // Far above what any test takes: two cores that others use too must not make one fail.
    testTimeout: 300_000,
    typecheck: { enabled: false },
  },
});
