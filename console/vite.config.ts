/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The development server passes the API on to a running hub: `threadline demo` on this machine, or THREADLINE_HUB.
const hub = process.env.THREADLINE_HUB ?? "http://127.0.0.1:7070";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": { target: hub, changeOrigin: true } } },
  build: {
    target: "es2023",
    // The content policy has no `data:` fonts, and one file per asset caches better.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 700,
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
