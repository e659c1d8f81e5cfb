import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./test.ts";

test.describe.configure({ mode: "serial" });

interface Saved {
  readonly version: number;
  readonly policy: { readonly parameters: readonly { readonly name: string }[]; readonly masks?: readonly unknown[] };
}

test("a version is compared and restored, and the history says so", async ({ page, request, baseURL }) => {
  const current = await request.get("/api/v1/policy");
  const before = (await current.json()) as Saved;
  const changed = await request.put("/api/v1/policy", {
    headers: { "If-Match": current.headers()["etag"] ?? "", Origin: new URL(baseURL ?? "").origin },
    data: { policy: { ...before.policy, masks: [{ point: "request > query canary" }] }, comment: "hide canaries" },
  });
  expect(changed.status()).toBe(200);
  const { version } = (await changed.json()) as Saved;

  await page.goto("/setup/versions");
  const newest = page.getByRole("listitem", { name: `Version ${version}`, exact: true });
  await expect(newest).toContainText("hide canaries");
  await expect(newest).toContainText("added a mask of request > query canary (everywhere)");
  await expect(newest.getByText("holds", { exact: true })).toBeVisible();
  const former = page.getByRole("listitem", { name: `Version ${before.version}`, exact: true });
  await former.getByRole("button", { name: `Compare with ${version}` }).click();
  await expect(former).toContainText("removed the mask of request > query canary (everywhere)");
  await former.getByRole("button", { name: "Restore…" }).click();
  await expect(page).toHaveURL(/setup\/parameters/u);
  await page.getByRole("button", { name: "Review and save…" }).click();
  await expect(page.getByLabel("What is this change about?")).toHaveValue(`Restores version ${before.version}`);
  await page.getByRole("button", { name: `Save as version ${version + 1}` }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
  const after = (await (await request.get("/api/v1/policy")).json()) as Saved;
  expect(after.policy).toEqual(before.policy);
  await page.getByRole("link", { name: "Versions", exact: true }).click();
  await expect(page.getByRole("listitem", { name: `Version ${version + 1}`, exact: true })).toContainText(`Restores version ${before.version}`);
});

test("charts mark where versions changed", async ({ page }) => {
  await page.goto("/sessions?last=1h");
  await expect(page.getByRole("list", { name: "Marks on the chart" }).getByRole("listitem").first()).toContainText(/policy version \d+ by/u);
});

test("the page of versions has no serious accessibility fault", async ({ page }) => {
  await page.goto("/setup/versions");
  await expect(page.getByRole("list", { name: "Versions, newest first" })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id)).toEqual([]);
});
