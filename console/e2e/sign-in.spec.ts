import { expect, test } from "./test.ts";

test.use({ storageState: { cookies: [], origins: [] } });

test("signs in, goes where the link led, and signs out", async ({ page, expectedErrors }) => {
  expectedErrors.push(/401/u);
  await page.goto("/sessions?method=POST");
  await expect(page).toHaveURL(/\/sign-in\?next=/u);
  await page.getByLabel("Name").fill("admin");
  await page.getByLabel("Password", { exact: true }).fill("wrong wrong wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("Name or password is wrong")).toBeVisible();

  await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/sessions\?method=POST$/u);

  await page.getByRole("button", { name: /^You/u }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in/u);
  await page.goto("/sessions");
  await expect(page).toHaveURL(/\/sign-in/u);
});

test("the first-run link works once", async ({ page }) => {
  await page.goto(process.env.THREADLINE_FIRST_RUN ?? "");
  await expect(page.getByRole("heading", { name: "Already set up" })).toBeVisible();
});
