import { expect, test } from "@playwright/test";

test("the first-run link makes the administrator and signs in", async ({ page }) => {
  await page.goto(process.env.THREADLINE_FIRST_RUN ?? "");
  await expect(page.getByRole("heading", { name: "Create the administrator" })).toBeVisible();
  await page.getByLabel("Password", { exact: true }).fill("short");
  await expect(page.getByText(/Too short/u)).toBeVisible();
  await page.getByRole("button", { name: "Create and sign in" }).click();
  // The hub has the last word, at the field.
  await expect(page.getByLabel("Password", { exact: true })).toHaveAttribute("aria-invalid", "true");

  await page.getByLabel("Password", { exact: true }).fill("correct horse battery staple");
  await page.getByRole("button", { name: "Create and sign in" }).click();
  await expect(page).toHaveURL(/\/sessions\?last=15m$/u);
  await expect(page.getByRole("option").first()).toBeVisible({ timeout: 30_000 });
  await page.context().storageState({ path: "test-results/signed-in.json" });
});
