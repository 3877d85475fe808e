import { defineConfig } from "vitest/config";
import page from "./vite.config.ts";

export default defineConfig({
  // The client library from its sources, as the page has it: a fresh clone has not built its package.
  resolve: page.resolve ?? {},
  test: {
    include: ["client/**/*.test.{ts,tsx}", "src/**/*.test.{ts,tsx}"],
    environment: "node",
    testTimeout: 20_000,
    maxWorkers: 2,
  },
});
