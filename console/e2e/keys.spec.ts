import { expect, holdStill, test } from "./test.ts";

test("keys show what they decide, what became of them, and open over another time", async ({ page }) => {
  await holdStill(page);
  await page.goto("/keys?last=24h");
  await expect(page.getByRole("heading", { name: "Keys", exact: true })).toBeVisible();
  const own = page.getByRole("region", { name: "Keys of the policy, in their order" });
  await expect(own.getByRole("listitem").first()).toBeVisible();
  await expect(own.getByText(/worked/u).first()).toBeVisible();
  const builtIn = page.getByRole("region", { name: "Built-in set" });
  await expect(builtIn.getByText("cookie connect.sid")).toBeVisible();
  await page.getByRole("button", { name: /last 24 hours/u }).click();
  await page.getByRole("button", { name: "1h", exact: true }).click();
  await expect(page).toHaveURL(/last=1h/u);
});

test("a time without exchanges says so", async ({ page }) => {
  await page.goto("/keys?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
  await expect(page.getByText("No exchanges in this time")).toBeVisible();
});
