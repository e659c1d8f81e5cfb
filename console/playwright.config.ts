// Browser tests against the real binary. Nothing is mocked: e2e/global-setup.ts starts `threadline demo` with a data
// folder of its own and free ports.

import { defineConfig, devices } from "@playwright/test";
import { browser } from "./e2e/browser.ts";

const signedIn = "test-results/signed-in.json";

/** These save policies on, or purge from, the one hub that all tests share: one after the other, after all that only look. */
const changing = ["parameters", "point", "masks", "traffic", "versions", "tryout", "privacy", "purges"];

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/global-setup.ts",
  timeout: 30_000,
  expect: { timeout: 10_000 },
  workers: 2,
  retries: 0,
  forbidOnly: process.env.CI !== undefined,
  reporter: [["list"]],
  use: {
    ...(process.env.THREADLINE_CONSOLE === undefined ? {} : { baseURL: process.env.THREADLINE_CONSOLE }),
    launchOptions: browser,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    trace: "retain-on-failure",
  },
  projects: [
    { name: "first run", testMatch: "first-run.setup.ts" },
    {
      name: "desktop",
      testMatch: "*.spec.ts",
      testIgnore: ["phone.spec.ts", ...changing.map((name) => `${name}.spec.ts`)],
      dependencies: ["first run"],
      use: { storageState: signedIn, viewport: { width: 1440, height: 900 } },
    },
    {
      name: "phone",
      testMatch: "phone.spec.ts",
      dependencies: ["first run"],
      use: { ...devices["Pixel 7"], storageState: signedIn },
    },
    ...changing.map((name, turn) => ({
      name,
      testMatch: `${name}.spec.ts`,
      dependencies: turn === 0 ? ["desktop", "phone"] : [changing[turn - 1] ?? ""],
      use: { storageState: signedIn, viewport: { width: 1280, height: 800 } },
    })),
  ],
});
