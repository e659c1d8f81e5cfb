import { expect, type Page, test } from "./test.ts";

test.describe.configure({ mode: "serial" });

async function open(page: Page): Promise<void> {
  await page.goto("/setup/parameters");
  await expect(page.getByRole("heading", { name: "Parameters", exact: true })).toBeVisible();
}

async function add(page: Page, name: string, point: string): Promise<void> {
  await page.getByRole("button", { name: "Add a parameter" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Edit as text" }).click();
  await page.getByLabel("Point", { exact: true }).fill(point);
}

async function save(page: Page, comment = ""): Promise<void> {
  await page.getByRole("button", { name: "Review and save…" }).click();
  await page.getByLabel("What is this change about?").fill(comment);
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on for new traffic/u).first()).toBeVisible();
}

async function order(page: Page): Promise<string[]> {
  const names = page.getByRole("list", { name: "Parameters in order" }).locator("button[aria-expanded]");
  return names.allInnerTexts();
}

test("a point is judged by the hub while it is typed", async ({ page }) => {
  await open(page);
  await add(page, "wrong", "request > body > cookie sid");
  await expect(page.getByText(/cookie.*cannot stand|cannot stand.*cookie/u).first()).toBeVisible();
  await page.getByLabel("Point", { exact: true }).fill("request > header x-tenant");
  await page.getByLabel("Name", { exact: true }).focus();
  await expect(page.getByLabel("Point", { exact: true })).toHaveValue("request > header X-TENANT");
  await page.getByRole("button", { name: "Discard…" }).click();
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await expect(page.getByRole("region", { name: "Unsaved changes" })).toBeHidden();
});

test("what is saved is shown first, and the version keeps what was said about it", async ({ page, request }) => {
  await open(page);
  await add(page, "tenant", "request > header X-TENANT");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Review and save…" }).click();
  const changes = page.getByRole("list", { name: "Changes" });
  await expect(changes).toContainText("added `tenant` (request > header X-TENANT)");
  await page.getByLabel("What is this change about?").fill("tenants get sessions of their own");
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on for new traffic/u)).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "tenant", exact: true })).toBeVisible();
  const { versions } = (await (await request.get("/api/v1/policy/versions")).json()) as { versions: { comment: string | null }[] };
  expect(versions[0]?.comment).toBe("tenants get sessions of their own");
});

test("rows move by keyboard, by dragging, and by a handle that the keyboard takes", async ({ page }) => {
  await open(page);
  const before = await order(page);
  const last = before.length - 1;
  expect(before[last]).toBe("tenant");
  await page.getByRole("button", { name: "tenant", exact: true }).press("Alt+ArrowUp");
  expect((await order(page))[last - 1]).toBe("tenant");
  await expect(page.getByRole("button", { name: "tenant", exact: true })).toBeFocused();

  const handle = page.getByRole("button", { name: "Drag tenant" });
  const [from, to] = [await handle.boundingBox(), await page.getByRole("button", { name: `Drag ${before[0] ?? ""}` }).boundingBox()];
  if (from === null || to === null) {
    throw new Error("the handles are not on the page");
  }
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 12 });
  await page.mouse.up();
  await expect.poll(async () => (await order(page))[0]).toBe("tenant");

  await handle.focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByText(/tenant|moved over|was moved/u).first()).toBeAttached();
  await page.keyboard.press("Space");
  await expect.poll(async () => (await order(page)).indexOf("tenant")).toBe(1);
  await save(page);
});

test("a key can ask for several values, and hold only in some places", async ({ page, request }) => {
  await open(page);
  await page.getByRole("button", { name: "tenant", exact: true }).click();
  await page.getByRole("button", { name: "Together with another value…" }).click();
  await page.getByRole("button", { name: "Edit as text" }).last().click();
  await page.getByLabel("And point 2").fill("request > query cart");
  await page.getByRole("button", { name: "Only in some places…" }).click();
  await page.getByRole("combobox", { name: "Paths" }).fill("/carts");
  await page.getByRole("combobox", { name: "Paths" }).press("Enter");
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("only path /carts")).toBeVisible();
  await save(page, "carts");
  const { policy } = (await (await request.get("/api/v1/policy")).json()) as {
    policy: { parameters: { name: string; with?: string[]; scope?: { paths?: string[] } }[] };
  };
  const tenant = policy.parameters.find(({ name }) => name === "tenant");
  expect(tenant?.with).toEqual(["request > query cart"]);
  expect(tenant?.scope).toEqual({ paths: ["/carts"] });
});

test("what the hub refuses stands at its field, and nothing is changed", async ({ page }) => {
  await open(page);
  await add(page, "tenant", "request > header X-OTHER");
  await page.getByRole("button", { name: "Review and save…" }).click();
  const name = page.getByLabel("Name", { exact: true });
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByText(/Not saved: 1 field/u)).toBeVisible();
  await name.fill("other");
  await expect(page.getByText(/Not saved/u)).toBeHidden();
  await save(page);
});

test("somebody else's save is shown and brought in, not overwritten", async ({ page, expectedErrors, request, baseURL }) => {
  expectedErrors.push(/412/u);
  await open(page);
  await page.getByRole("button", { name: "Delete other" }).click();

  const current = await request.get("/api/v1/policy");
  const { policy } = (await current.json()) as { policy: { parameters: { name: string }[] } };
  const parameters = policy.parameters.map((one) => (one.name === "tenant" ? { ...one, name: "tenant2" } : one));
  const theirs = await request.put("/api/v1/policy", {
    headers: { "If-Match": current.headers()["etag"] ?? "", Origin: new URL(baseURL ?? "").origin },
    data: { policy: { ...policy, parameters }, comment: "a better name" },
  });
  expect(theirs.status()).toBe(200);

  await page.getByRole("button", { name: "Review and save…" }).click();
  await page.getByRole("button", { name: /^Save as version/u }).click();
  const conflict = page.getByRole("dialog", { name: "Somebody else saved meanwhile" });
  await expect(conflict).toContainText("a better name");
  await expect(conflict).toContainText("renamed `tenant` to `tenant2`");
  await conflict.getByRole("button", { name: "Bring theirs into mine" }).click();
  await expect(page.getByText(/is in your draft now/u)).toBeVisible();
  expect(await order(page)).toEqual(parameters.map(({ name }) => name).filter((name) => name !== "other"));
  await save(page, "without other");
  expect(await order(page)).not.toContain("other");
  expect(await order(page)).toContain("tenant2");
});

test("mine can be dropped for theirs", async ({ page, expectedErrors, request, baseURL }) => {
  expectedErrors.push(/412/u);
  await open(page);
  await page.getByRole("button", { name: "Delete tenant2" }).click();
  const current = await request.get("/api/v1/policy");
  const { policy } = (await current.json()) as { policy: { parameters: { name: string }[] } };
  await request.put("/api/v1/policy", {
    headers: { "If-Match": current.headers()["etag"] ?? "", Origin: new URL(baseURL ?? "").origin },
    data: { policy: { ...policy, masks: [{ point: "request > query secret" }] } },
  });
  await page.getByRole("button", { name: "Review and save…" }).click();
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await page.getByRole("button", { name: "Drop mine, take theirs" }).click();
  await expect(page.getByRole("button", { name: "tenant2", exact: true })).toBeVisible();
  await expect(page.getByRole("region", { name: "Unsaved changes" })).toBeHidden();
});

test("the draft outlives a walk through Setup, and leaving it asks once", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Delete tenant2" }).click();
  await page.getByRole("link", { name: "Traffic", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Applications" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Unsaved changes" })).toBeVisible();
  await page.getByRole("link", { name: "Sessions" }).click();
  await expect(page.getByText("Leave without saving?")).toBeVisible();
  await page.getByRole("button", { name: "Stay" }).click();
  await expect(page.getByRole("region", { name: "Unsaved changes" })).toBeVisible();
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.getByRole("button", { name: "Leave, lose them" }).click();
  await expect(page).toHaveURL(/\/sessions/u);
});
