import { defineConfig } from "vitest/config";

// Suites that drive the built page in a real browser against the real runner: `npm run e2e`.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.e2e.ts"],
    globalSetup: ["support/build.ts"],
    environment: "node",
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
