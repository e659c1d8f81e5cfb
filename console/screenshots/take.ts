// Takes docs/images/*.png: the sessions list, a session with an open exchange, and the parameters, in both schemes.

import { fileURLToPath } from "node:url";
import { type APIRequestContext, expect, type Page, test } from "@playwright/test";
import { type RunningHub, startHub } from "../e2e/hub.ts";

const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));
/** Enough of a story to look at. */
const sessionsWanted = 120;

let hub: RunningHub;

test.beforeAll(async () => {
  hub = await startHub(["--seed", "3", "--pace", "1.5"]);
});

test.afterAll(async () => {
  await hub.stop();
});

test("take the pictures", async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: hub.consoleUrl });
  const page = await context.newPage();
  await page.goto(hub.firstRunUrl);
  await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await page.getByRole("button", { name: "Create and sign in" }).click();
  await page.waitForURL(/\/sessions/u);

  await expect
    .poll(
      async () => {
        const answer = await context.request.get("/api/v1/sessions?last=15m&limit=1");
        const { total } = (await answer.json()) as { total: number };
        return total;
      },
      { timeout: 150_000, intervals: [1000] },
    )
    .toBeGreaterThanOrEqual(sessionsWanted);
  const { from, to, session } = await choose(context.request);
  await page.evaluate(() => {
    window.localStorage.setItem("threadline-live", "false");
  });

  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto(`/sessions?from=${from}&to=${to}`);
    await expect(page.getByRole("option").nth(10)).toBeVisible();
    await settle(page);
    await page.screenshot({ path: `${images}sessions-${scheme}.png` });

    await page.goto(`/sessions/${session}?from=${from}&to=${to}`);
    await expect(page.getByRole("region", { name: "Exchanges" }).locator("button[aria-expanded]").first()).toBeVisible();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await expect(page.getByRole("region", { name: "Why this session" })).toBeVisible();
    await settle(page);
    await page.screenshot({ path: `${images}session-${scheme}.png` });

    await page.goto("/setup/parameters");
    await expect(page.getByRole("heading", { name: "Parameters", exact: true })).toBeVisible();
    await settle(page);
    await page.screenshot({ path: `${images}parameters-${scheme}.png` });
  }
  await context.close();
});

interface Part {
  readonly session_id: string;
  readonly user: string | null;
  readonly errors: number;
  readonly requests: number;
}

/** All there is up to now, and the longest session of somebody known with an error in it. */
async function choose(request: APIRequestContext): Promise<{ from: string; to: string; session: string }> {
  const answer = await request.get("/api/v1/sessions?last=15m&limit=200");
  const { sessions } = (await answer.json()) as { sessions: (Part & { first: string; last: string })[] };
  const known = sessions.filter(({ user, errors }) => user !== null && errors > 0);
  const [longest] = (known.length > 0 ? known : sessions).toSorted((one, other) => other.requests - one.requests);
  const from = sessions.map(({ first }) => first).toSorted()[0] ?? "";
  const to = sessions.map(({ last }) => last).toSorted().at(-1) ?? "";
  return { from, to, session: longest?.session_id ?? "" };
}

/** Fonts are there, and nothing is being loaded. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForLoadState("networkidle");
  await page.mouse.move(720, 899);
}
