import { expect, test } from "./test.ts";

test.describe.configure({ mode: "serial" });

test("a mask of a key is warned about before it is saved, and is in force after", async ({ page, request }) => {
  await page.goto("/setup/masks");
  await expect(page.getByRole("heading", { name: "Masks", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Mask request > body > json > property password", exact: true }).click();
  await page.getByRole("button", { name: "Add a mask" }).click();
  await page.getByRole("button", { name: "Edit as text" }).click();
  await page.getByLabel("Point", { exact: true }).fill("request > query token");
  await page.getByRole("combobox", { name: "Methods" }).fill("DELETE");
  await page.getByRole("combobox", { name: "Methods" }).press("Enter");
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("method DELETE")).toBeVisible();
  await expect(page.getByText(/covers `token in query`: the key does not work where the mask applies/u)).toBeVisible();

  await page.getByRole("link", { name: "Parameters", exact: true }).click();
  await expect(page.getByText(/covers `token in query`/u)).toBeVisible();
  await page.getByRole("button", { name: "Review and save…" }).click();
  const dialog = page.getByRole("dialog", { name: /^Save as version/u });
  await expect(dialog.getByRole("list", { name: "Warnings" })).toContainText("covers `token in query`");
  await expect(dialog.getByRole("list", { name: "Changes" })).toContainText("added a mask of request > query token (method DELETE)");
  await dialog.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
  const { policy } = (await (await request.get("/api/v1/policy")).json()) as { policy: { masks: unknown[] } };
  expect(policy.masks).toContainEqual({ point: "request > query token", scope: { methods: ["DELETE"] } });
  expect(policy.masks).toContainEqual({ point: "request > body > json > property password" });
});

test("a point that cannot be is refused at its field", async ({ page }) => {
  await page.goto("/setup/masks");
  await page.getByRole("button", { name: "Add a mask" }).click();
  await page.getByRole("button", { name: "Review and save…" }).click();
  await expect(page.getByText(/Not saved: 1 field/u)).toBeVisible();
  await expect(page.getByRole("group", { name: "Mask", exact: true }).getByText(/expected|empty|point/iu).first()).toBeVisible();
});

test("masks are taken away again", async ({ page, request }) => {
  await page.goto("/setup/masks");
  const rows = page.getByRole("list", { name: "Masks" }).getByRole("listitem");
  await expect(rows.first()).toBeVisible();
  while ((await rows.count()) > 0) {
    await rows.first().getByRole("button", { name: /^Delete/u }).click();
  }
  await expect(page.getByText("No masks yet")).toBeVisible();
  await page.getByRole("button", { name: "Review and save…" }).click();
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
  const { policy } = (await (await request.get("/api/v1/policy")).json()) as { policy: { masks?: unknown[] } };
  expect(policy.masks ?? []).toEqual([]);
});
