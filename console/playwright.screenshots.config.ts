// `npm run screenshots`: pictures for the documents, from the real demo. Nothing is retouched.

import { defineConfig } from "@playwright/test";
import { browser } from "./e2e/browser.ts";

export default defineConfig({
  testDir: "screenshots",
  testMatch: "take.ts",
  timeout: 180_000,
  workers: 1,
  reporter: [["list"]],
  use: { launchOptions: browser, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce" },
});
