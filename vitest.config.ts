import { defineConfig } from "vitest/config";

const conditions = ["source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/src/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.shared.test.ts", "**/*.webgpu.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    typecheck: { enabled: false },
  },
});
