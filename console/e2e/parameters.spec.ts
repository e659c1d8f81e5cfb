import { expect, type Page, test } from "./test.ts";

test.describe.configure({ mode: "serial" });

async function open(page: Page): Promise<void> {
  await page.goto("/setup/parameters");
  await expect(page.getByRole("heading", { name: "Parameters", exact: true })).toBeVisible();
}

async function add(page: Page, name: string, point: string): Promise<void> {
  await page.getByRole("button", { name: "Add a parameter" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Point", { exact: true }).fill(point);
}

test("a point is judged by the hub while it is typed", async ({ page }) => {
  await open(page);
  await add(page, "wrong", "request > body > cookie sid");
  await expect(page.getByText(/cookie.*cannot stand|cannot stand.*cookie/u).first()).toBeVisible();
  await page.getByLabel("Point", { exact: true }).fill("request > header X-TENANT");
  await expect(page.getByText("X-TENANT", { exact: true }).first()).toBeVisible();
  await page.getByRole("button", { name: "Discard" }).click();
});

test("adds, orders, saves, and the version moves on", async ({ page }) => {
  await open(page);
  await add(page, "tenant", "request > header X-TENANT");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "tenant", exact: true }).press("Alt+ArrowUp");
  await page.getByRole("button", { name: /Save as version/u }).click();
  await expect(page.getByText(/holds from now on for new traffic/u)).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "tenant", exact: true })).toBeVisible();
});

test("what the hub refuses stands at its field, and nothing is changed", async ({ page, expectedErrors }) => {
  expectedErrors.push(/422/u);
  await open(page);
  await add(page, "tenant", "request > header X-OTHER");
  await page.getByRole("button", { name: /Save as version/u }).click();
  const name = page.getByLabel("Name", { exact: true });
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText(/Not saved: 1 row/u)).toBeVisible();
  await name.fill("other");
  await page.getByRole("button", { name: /Save as version/u }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
});

test("somebody else's save is not overwritten unasked", async ({ page, expectedErrors, request, baseURL }) => {
  expectedErrors.push(/412/u);
  await open(page);
  await page.getByRole("button", { name: "Delete other" }).click();

  const current = await request.get("/api/v1/policy/parameters");
  const { parameters } = (await current.json()) as { parameters: { name: string; point: string; type: string; group: boolean; hashed: boolean }[] };
  const theirs = parameters.map(({ name, point, type, group, hashed }) => ({ name: name === "tenant" ? "tenant2" : name, point, type, group, hashed }));
  const saved = await request.put("/api/v1/policy/parameters", {
    headers: { "If-Match": current.headers()["etag"] ?? "", Origin: new URL(baseURL ?? "").origin },
    data: { parameters: theirs },
  });
  expect(saved.status()).toBe(200);

  await page.getByRole("button", { name: /Save as version/u }).click();
  await expect(page.getByRole("alert")).toContainText("Somebody else saved");
  await page.getByRole("button", { name: "Reload theirs, drop mine" }).click();
  await expect(page.getByRole("button", { name: "tenant2", exact: true })).toBeVisible();
  await expect(page.getByRole("button", { name: "other", exact: true })).toBeVisible();
});

test("leaving with unsaved changes asks once", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Delete tenant2" }).click();
  await page.getByRole("link", { name: "Sessions" }).click();
  await expect(page.getByText("Leave without saving?")).toBeVisible();
  await page.getByRole("button", { name: "Stay" }).click();
  await expect(page.getByRole("button", { name: /Save as version/u })).toBeVisible();
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.getByRole("button", { name: "Leave, lose them" }).click();
  await expect(page).toHaveURL(/\/sessions/u);
});
