import { expect, holdStill, openList, rows, test } from "./test.ts";

test.beforeEach(async ({ page }) => {
  await holdStill(page);
});

test("cards, then the session on the whole page, and back", async ({ page }) => {
  await openList(page);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(wide).toBeLessThanOrEqual(0);
  await rows(page).first().tap();
  await expect(page.getByRole("article", { name: "Session" })).toBeVisible();
  await expect(page.getByRole("listbox")).toHaveCount(0);
  await page.getByRole("button", { name: "Statistics and filters" }).tap();
  await expect(page.getByRole("heading", { name: /^Status/u })).toBeVisible();
  const still = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(still).toBeLessThanOrEqual(0);
  await page.getByRole("button", { name: "Close the session" }).tap();
  await expect(rows(page).first()).toBeVisible();
});

test("setup and system fit", async ({ page }) => {
  for (const place of ["/setup/parameters", "/setup/masks", "/setup/traffic", "/system/status", "/system/api"]) {
    await page.goto(place);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wide, place).toBeLessThanOrEqual(0);
  }
});
