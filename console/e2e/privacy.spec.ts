// What leaves nodes under a draft, and what did. The page shows the policy that holds; a draft is made by changing what
// the page edits. Nothing is saved.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page, test } from "./test.ts";

async function open(page: Page): Promise<void> {
  await page.goto("/setup/privacy");
  await expect(page.getByRole("heading", { name: "Privacy", exact: true })).toBeVisible();
}

async function keep(page: Page, on: boolean): Promise<void> {
  await page.request.put("/api/v1/recent-exchanges/settings", { headers: { Origin: new URL(page.url()).origin }, data: { on } });
}

async function send(path: string): Promise<void> {
  await fetch(new URL(path, process.env.THREADLINE_PROXY));
}

/** Waits until the nodes hold an exchange. */
async function held(page: Page): Promise<void> {
  await expect
    .poll(async () => {
      const answer = (await (await page.request.get("/api/v1/recent-exchanges/settings")).json()) as { kept: number };
      return answer.kept;
    })
    .toBeGreaterThan(0);
}

function table(page: Page, name: RegExp) {
  return page.getByRole("table", { name });
}

test("says why there are no examples while recent exchanges are not kept, and offers the switch", async ({ page }) => {
  await open(page);
  await keep(page, false);
  await page.reload();
  await expect(page.getByRole("heading", { name: "What leaves", exact: true })).toBeVisible();
  await expect(page.getByText("Recent exchanges are not kept")).toBeVisible();
  await expect(table(page, /^Who and where/u).getByRole("row", { name: /user_agent/u })).toContainText("clear");
  await page.getByRole("button", { name: "Keep recent exchanges" }).click();
  await expect(page.getByText("Recent exchanges are not kept")).toBeHidden();
});

test("shows shapes of values and shares of the recent exchanges", async ({ page }) => {
  await open(page);
  await keep(page, true);
  await send("/users/7/orders?canary=canary-value");
  await held(page);
  await page.reload();
  await expect(page.getByText(/^Shares and examples are of \d+ exchanges?, seen/u)).toBeVisible();
  const path = table(page, /^Request line/u).getByRole("row", { name: /^path/u });
  await expect(path).toContainText(/\/•+/u);
  await expect(path).toContainText("100%");
  await expect(table(page, /^Session/u).getByRole("row", { name: /session_value builtin/u }).getByText("hashed", { exact: true })).toBeVisible();
  await expect(page.getByRole("list", { name: "What never leaves" }).getByRole("listitem").first()).toContainText("Bodies");
  await expect(page.getByText("canary-value")).toHaveCount(0);
});

test("a draft shows what it changes against the policy that holds", async ({ page }) => {
  await page.goto("/setup/masks");
  await keep(page, true);
  await page.getByRole("button", { name: "Add a mask" }).click();
  await page.getByRole("button", { name: "Edit as text" }).click();
  await page.getByLabel("Point", { exact: true }).fill("request > header USER-AGENT");
  await page.getByRole("link", { name: "Privacy" }).click();
  await expect(page.getByRole("heading", { name: "What would leave under the draft" })).toBeVisible();
  const changes = page.getByRole("list", { name: /^Changes against version \d+$/u });
  await expect(changes.getByRole("listitem")).toHaveText("user_agent no longer leaves; it left in clear");
  await expect(table(page, /^Who and where/u).getByRole("row", { name: /^user_agent/u })).toContainText("not exported");
});

test("what did leave stands by node and field, over a range", async ({ page }) => {
  await send("/users/7/orders");
  await open(page);
  const ledger = page.getByRole("region", { name: "What did leave" });
  await expect(ledger.getByRole("table").first().getByRole("row", { name: /^user_agent/u })).toContainText(/B/u);
  await ledger.getByText("30 days").click();
  await expect(ledger.getByRole("table").first().getByRole("row", { name: /^method/u }).getByRole("cell").last()).toHaveAttribute("title", /^[\d,]+ bytes$/u);
  await page.route("**/api/v1/exports?*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), fields: [] } });
  });
  await ledger.getByText("All", { exact: true }).click();
  await expect(ledger.getByText("Nothing left a node yet")).toBeVisible();
});

test("who only looks sees the ledger", async ({ page }) => {
  await page.route("**/api/v1/me", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), role: "viewer" } });
  });
  let asked = 0;
  await page.route("**/api/v1/policy/exports", async (route) => {
    asked += 1;
    await route.continue();
  });
  await open(page);
  await expect(page.getByRole("region", { name: "What did leave" }).getByRole("table").first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "What leaves", exact: true })).toBeHidden();
  expect(asked).toBe(0);
});

test("the palette leads here", async ({ page }) => {
  await page.goto("/sessions");
  await expect(page.getByRole("option").first()).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByLabel("Go to").fill("privacy");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/setup\/privacy/u);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`has no serious accessibility fault (${colorScheme})`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await open(page);
    await keep(page, true);
    await send("/users/7/orders");
    await held(page);
    await page.reload();
    await expect(page.getByText(/^Shares and examples are of/u)).toBeVisible();
    await expect(page.getByRole("region", { name: "What did leave" }).getByRole("table").first()).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  });
}

test("reads down one column on a narrow screen", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page);
  await keep(page, true);
  await page.reload();
  await expect(table(page, /^Who and where/u)).toBeVisible();
  await expect(page.getByRole("region", { name: "What did leave" }).getByRole("table").first()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await keep(page, false);
});
