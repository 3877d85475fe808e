import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const runner = process.env["NANO_ADDR"] ?? "127.0.0.1:8787";

// The built page lands in web/dist, which web/embed.go serves. `npm run dev` proxies to a running `make dev`.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: [
      { find: "@nanotype/client/react", replacement: here("client/react/index.ts") },
      { find: "@nanotype/client", replacement: here("client/index.ts") },
    ],
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // Icons that several screens share would be files of 200 bytes each.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "icons", test: /node_modules.lucide-react/ }] } } },
  },
  server: {
    proxy: {
      "/v1": `http://${runner}`,
      "/ws": { target: `ws://${runner}`, ws: true },
    },
  },
});
