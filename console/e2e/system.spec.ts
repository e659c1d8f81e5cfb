import { expect, test } from "./test.ts";

test("the status tells the store's and the nodes' figures", async ({ page }) => {
  await page.goto("/system/status");
  await expect(page.getByRole("heading", { name: "Store" })).toBeVisible();
  await expect(page.getByText(/for each exchange/u)).toBeVisible();
});

test("a token is shown once, works, and is refused once revoked", async ({ page, baseURL, playwright }) => {
  await page.goto("/system/tokens");
  await page.getByLabel("What for").fill("browser test");
  await page.getByRole("button", { name: "Make a token" }).click();
  const secret = await page.locator("code", { hasText: /^tl_/u }).first().innerText();
  const program = await playwright.request.newContext({
    ...(baseURL === undefined ? {} : { baseURL }),
    storageState: { cookies: [], origins: [] },
    extraHTTPHeaders: { Authorization: `Bearer ${secret}` },
  });
  expect((await program.get("/api/v1/me")).status()).toBe(200);

  await page.reload();
  await expect(page.getByText(secret)).toHaveCount(0);
  await page.getByRole("button", { name: "Revoke browser test" }).click();
  await page.getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(page.getByRole("cell", { name: "browser test" })).toHaveCount(0);
  expect((await program.get("/api/v1/me")).status()).toBe(401);
  await program.dispose();
});

test("the API reference opens an operation", async ({ page }) => {
  await page.goto("/system/api");
  await page.getByLabel("Find an operation").fill("policy/parameters");
  await page.locator("summary", { hasText: "PUT" }).click();
  await expect(page.getByText("If-Match").first()).toBeVisible();
});

test("the audit log has the first sign-in", async ({ page }) => {
  await page.goto("/system/audit");
  await expect(page.getByRole("row").nth(1)).toBeVisible();
});

test("an address that leads nowhere says so", async ({ page }) => {
  await page.goto("/no/such/place");
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
});

test("adds a person with the hub's rules at the field, and removes them", async ({ page, expectedErrors }) => {
  expectedErrors.push(/422/u);
  await page.goto("/system/people");
  await page.getByLabel("Name", { exact: true }).fill("colleague");
  const password = page.getByLabel("First password", { exact: true });
  await password.fill("short");
  await page.getByRole("button", { name: "Add a person" }).click();
  await expect(password).toHaveAttribute("aria-invalid", "true");
  await password.fill("several unrelated words");
  await page.getByRole("button", { name: "Add a person" }).click();
  await expect(page.getByRole("cell", { name: "colleague", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Remove colleague" }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByRole("cell", { name: "colleague", exact: true })).toHaveCount(0);
});
