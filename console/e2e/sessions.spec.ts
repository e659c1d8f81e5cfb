import { expect, holdStill, openList, rows, test } from "./test.ts";

test.beforeEach(async ({ page }) => {
  await holdStill(page);
});

test("lists sessions with their threads, and says what it counts over which time", async ({ page }) => {
  await openList(page);
  await expect(page.getByRole("status").filter({ hasText: /sessions?, last 24 hours/u })).toBeVisible();
  await expect(rows(page).first().getByRole("img", { name: /exchanges over time/u })).toBeVisible();
});

test("a typed filter becomes a chip and part of the address, and a copied link restores it", async ({ page, browser, storageState }) => {
  await openList(page);
  const bar = page.getByLabel("Filter sessions");
  await page.keyboard.press("/");
  await expect(bar).toBeFocused();
  await bar.fill("method:POST -status:5xx");
  await bar.press("Enter");
  await expect(page).toHaveURL(/method=POST/u);
  await expect(page).toHaveURL(/status=%215xx/u);
  await expect(page.getByRole("button", { name: "remove filter -status:5xx" })).toBeVisible();

  const other = await browser.newContext(storageState === undefined ? {} : { storageState });
  const copy = await other.newPage();
  await copy.goto(page.url());
  await expect(copy.getByRole("button", { name: "remove filter method:POST" })).toBeVisible();
  await expect(copy.getByRole("option").first()).toBeVisible();
  await other.close();

  await page.getByRole("button", { name: "remove filter method:POST" }).click();
  await expect(page).not.toHaveURL(/method=POST/u);
  await page.goBack();
  await expect(page.getByRole("button", { name: "remove filter method:POST" })).toBeVisible();
});

test("values complete from what was seen, with counts", async ({ page }) => {
  await openList(page);
  const bar = page.getByLabel("Filter sessions");
  await bar.fill("meth");
  await page.getByRole("option", { name: /^method:/u }).click();
  await page.getByRole("option", { name: /^GET .*exchanges?/u }).click();
  await expect(page).toHaveURL(/method=GET/u);
});

test("the values beside the list filter and exclude", async ({ page }) => {
  await openList(page);
  const rail = page.getByRole("complementary", { name: /Values/u });
  await rail.getByRole("button", { name: /^GET/u }).first().click();
  await expect(page).toHaveURL(/method=GET/u);
  await expect(rail.getByRole("button", { name: /^GET/u, pressed: true })).toBeVisible();
});

test("time: presets and the histogram set the range", async ({ page }) => {
  await openList(page);
  await page.getByRole("button", { name: "last 24 hours" }).click();
  await page.getByRole("button", { name: "15m" }).click();
  await expect(page).toHaveURL(/last=15m/u);
  await expect(rows(page).first()).toBeVisible();

  const bars = page.getByRole("slider", { name: /Exchanges over time/u });
  const box = await bars.boundingBox();
  if (box === null) {
    throw new Error("the histogram is not drawn");
  }
  await page.mouse.move(box.x + box.width * 0.6, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 2, box.y + 20, { steps: 4 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*&to=/u);
});

test("nothing found says why and what to do", async ({ page }) => {
  await page.goto("/sessions?user=nobody-of-that-name");
  await expect(page.getByRole("heading", { name: "No session passes these filters" })).toBeVisible();
  await page.getByRole("button", { name: "Drop the filters" }).click();
  await expect(rows(page).first()).toBeVisible();
});

test("a filter the hub refuses is explained at once", async ({ page, expectedErrors }) => {
  expectedErrors.push(/422/u);
  await page.goto("/sessions?ip=not-an-address");
  await expect(page.getByRole("alert").first()).toContainText("ip");
});

test("arrows walk the list with the session following", async ({ page }) => {
  await openList(page, "", 3);
  await page.getByRole("listbox", { name: "Sessions, newest first" }).focus();
  await page.keyboard.press("ArrowDown");
  await expect(page).toHaveURL(/\/sessions\/[0-9a-f]{32}/u);
  const first = page.url();
  await expect(page.getByRole("article", { name: "Session" })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await expect(page).not.toHaveURL(first);
  await page.keyboard.press("ArrowUp");
  await expect(page).toHaveURL(first);
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL(/\/sessions$/u);
});

test("the palette reaches pages, users and sessions", async ({ page, expectedErrors }) => {
  // There is no such session; the page says so.
  expectedErrors.push(/404/u);
  await openList(page);
  await page.keyboard.press("Control+k");
  await page.getByLabel("Go to", { exact: true }).last().fill("parameters");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/setup\/parameters/u);
  await page.keyboard.press("Control+k");
  await page.getByLabel("Go to", { exact: true }).last().fill("0123456789abcdef0123456789abcdef");
  await page.getByText(/Open session 01234567/u).click();
  await expect(page).toHaveURL(/\/sessions\/0123456789abcdef0123456789abcdef/u);
});

test("the palette opens from within a search field", async ({ page }) => {
  await openList(page);
  await page.keyboard.press("/");
  await expect(page.getByLabel("Filter sessions")).toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog").getByLabel("Go to")).toBeFocused();
});

test("all rows can be downloaded", async ({ page }) => {
  await openList(page);
  const waiting = page.waitForEvent("download");
  await page.getByRole("link", { name: /Download all rows/u }).click();
  expect((await waiting).suggestedFilename()).toMatch(/\.csv$/u);
});
