import { defineConfig } from "vitest/config";

// Suites that drive the built page in a real browser against the real runner: `npm run e2e`.
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ["**/*.e2e.ts"],
    globalSetup: ["support/build.ts"],
    environment: "node",
    // Limits for what never comes, not for speed: a loaded machine is several times slower.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 20_000 } },
    fileParallelism: false,
  },
});
