import { exchanges, expect, holdStill, openList, openSession, type Page, test } from "./test.ts";

test.beforeEach(async ({ page }) => {
  await holdStill(page);
});

async function openFirst(page: Page, query = ""): Promise<void> {
  await openList(page, query);
  await openSession(page);
}

test("opens beside the list; an opened exchange says why it is here", async ({ page }) => {
  await openFirst(page);
  await expect(page.getByRole("listbox", { name: "Sessions, newest first" })).toBeVisible();
  await exchanges(page).first().click();
  const why = page.getByRole("region", { name: "Why this session" });
  await expect(why.getByRole("heading", { name: "API session ID parameters" })).toBeVisible();
  await expect(why.getByText(/worked, so it decided|Built-in set|Fallback/u).first()).toBeVisible();
  await expect(page.getByRole("heading", { name: "API session parameters" })).toBeVisible();
  await expect(page).toHaveURL(/exchange=/u);

  const link = page.url();
  await page.reload();
  await expect(page.getByRole("region", { name: "Why this session" })).toBeVisible();
  expect(page.url()).toBe(link);
});

test("exchanges that share one path are told apart by their operation", async ({ page }) => {
  await openFirst(page, "?endpoint=graphql&q=");
  const rows = exchanges(page).filter({ hasText: "/graphql" });
  await expect(rows.first()).toContainText(/query (Product|Profile)|mutation \w+/u);
  await rows.first().click();
  await expect(page.getByText("Operation", { exact: true })).toBeVisible();
});

test("j and k walk the exchanges, e finds the next error, Esc closes one thing at a time", async ({ page }) => {
  await openFirst(page, "?status=4xx&q=");
  await page.getByRole("button", { name: "show all requests" }).click();
  const list = page.getByRole("region", { name: "Exchanges" });
  await expect(list.getByRole("status")).not.toContainText("the filters");
  await expect(list.locator("[data-stale]")).toHaveCount(0);
  await page.keyboard.press("j");
  await expect(exchanges(page).first()).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await expect(exchanges(page).first()).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("Escape");
  await expect(page).not.toHaveURL(/exchange=/u);
  await page.keyboard.press("e");
  await expect(page).toHaveURL(/exchange=/u);
  await expect(page.locator("button[aria-expanded=true] [data-kind=client], button[aria-expanded=true] [data-kind=server]").first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(page).not.toHaveURL(/\/sessions\/[0-9a-f]{32}/u);
});

test("the thread opens what is clicked", async ({ page }) => {
  await openFirst(page);
  const thread = page.getByRole("slider", { name: /The session over time/u });
  await thread.focus();
  await page.keyboard.press("ArrowRight");
  await expect(thread).toHaveAttribute("aria-valuetext", /exchange/u);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/exchange=/u);
  await expect(page.getByRole("region", { name: "Why this session" })).toBeVisible();
});

test("filters inside start from the list's, can be dropped, and lifted to the list", async ({ page }) => {
  await openFirst(page, "?method=GET");
  await expect(page.getByRole("search").getByText("from the list")).toBeVisible();
  const figures = page.getByRole("complementary", { name: "Statistics of this session" });
  await figures.getByRole("button", { name: /^[1-5]\d\d/u }).first().click();
  await expect(page).toHaveURL(/within=.*status%3A\d\d\d/u);
  await page.getByRole("button", { name: "apply filters to the list" }).click();
  await expect(page).toHaveURL(/[?&]status=\d\d\d/u);
  await page.getByRole("button", { name: "show all requests" }).click();
  await expect(page).toHaveURL(/within=all/u);
});

test("fills the page and comes back", async ({ page }) => {
  await openFirst(page);
  await page.getByRole("button", { name: "Fill the page" }).click();
  await expect(page.getByRole("listbox")).toHaveCount(0);
  await expect(page).toHaveURL(/view=full/u);
  await page.getByRole("button", { name: "Show beside the list" }).click();
  await expect(page.getByRole("listbox", { name: "Sessions, newest first" })).toBeVisible();
});

test("a session that is not there says so", async ({ page, expectedErrors }) => {
  expectedErrors.push(/404/u);
  await page.goto("/sessions/00000000000000000000000000000000");
  await expect(page.getByRole("heading", { name: "No exchange of this session counts here" })).toBeVisible();
});
