// Finding a hashed user by the clear address, on a hub of its own whose policy exports users hashed.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type RunningHub, startHub } from "./hub.ts";
import { expect, holdStill, type Page, rows, test } from "./test.ts";

const address = "ada.lovelace@example.com";
const password = "correct horse battery staple";
const policy = `
policy:
  parameters:
    - { name: account, point: request > query account, type: user, hashed: true }
    - { name: card, point: request > query card, hashed: true }
    - { name: tenant, point: request > header X-TENANT, group: true, hashed: true, namespace: tenants }
`;

test.describe.configure({ mode: "serial" });
test.use({ storageState: { cookies: [], origins: [] } });

let hub: RunningHub;
let folder: string;

test.beforeAll(async ({ browser }) => {
  folder = mkdtempSync(join(tmpdir(), "threadline-find-"));
  const file = join(folder, "threadline.yaml");
  writeFileSync(file, policy);
  hub = await startHub(["--config", file, "--seed", "7", "--pace", "20", "--requests", "20"]);
  const account = encodeURIComponent(address);
  await fetch(`${hub.proxyUrl}login?account=${account}&card=4000-1234`, { headers: { "x-tenant": "acme" } });
  await fetch(`${hub.proxyUrl}login?account=somebody`, { headers: { "x-tenant": "other" } });

  const context = await browser.newContext({ baseURL: hub.consoleUrl });
  const origin = new URL(hub.consoleUrl).origin;
  const token = new URL(hub.firstRunUrl).hash.replace("#token=", "");
  const send = async (path: string, data: object): Promise<void> => {
    const answer = await context.request.post(path, { data, headers: { origin } });
    expect(answer.ok(), await answer.text()).toBe(true);
  };
  await send("/api/v1/first-run", { token, name: "admin", password });
  await send("/api/v1/people", { name: "viewer", role: "viewer", password });
  await context.close();
});

test.afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A page of somebody who is signed in. */
async function open(page: Page, name = "admin"): Promise<void> {
  await holdStill(page);
  const origin = new URL(hub.consoleUrl).origin;
  await page.context().request.post(`${origin}/api/v1/sign-in`, { data: { name, password }, headers: { origin } });
  await page.goto(`${origin}/sessions`);
  await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThan(2);
}

async function find(page: Page, value: string, what: string): Promise<void> {
  await page.getByRole("button", { name: "Find a hashed value…" }).click();
  const dialog = page.getByRole("dialog", { name: "Find a hashed value" });
  await expect(dialog.getByLabel("Value in clear")).toBeFocused();
  await dialog.getByLabel("Value in clear").fill(value);
  await dialog.getByLabel("What it is").selectOption({ label: what });
  await dialog.getByRole("button", { name: "Find", exact: true }).click();
}

/** Everything in the browser that outlives the dialog, as one text. */
async function remembered(page: Page): Promise<string> {
  const held = await page.evaluate(async () => {
    const databases = await indexedDB.databases();
    return JSON.stringify([location.href, history.state, { ...localStorage }, { ...sessionStorage }, document.cookie, databases, document.documentElement.outerHTML]);
  });
  return held + JSON.stringify(await page.context().storageState());
}

test("a hashed user is found by the clear address, which is left nowhere", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await open(page);
  await find(page, address, "User");
  await expect(page).toHaveURL(/user=[0-9a-f]{32}$/u);
  await expect(rows(page)).toHaveCount(1);
  const hash = new URL(page.url()).searchParams.get("user") ?? "";
  const chip = page.getByRole("button", { name: `user: hashed ${hash.slice(0, 8)}` });
  await expect(chip).toBeVisible();
  await expect(chip).not.toContainText(hash);

  for (const text of [await remembered(page), asked.join("\n"), await page.title()]) {
    expect(text).not.toContain("lovelace");
  }
  await page.goBack();
  expect(await remembered(page)).not.toContain("lovelace");
  await page.getByRole("button", { name: "Find a hashed value…" }).click();
  await expect(page.getByLabel("Value in clear")).toHaveValue("");
});

test("a parameter becomes a filter, a key opens its session, from the palette too", async ({ page }) => {
  await open(page);
  await find(page, "4000-1234", "Parameter card");
  await expect(page).toHaveURL(/parameter=card%3A[0-9a-f]{32}$/u);
  await expect(rows(page)).toHaveCount(1);

  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByLabel("Go to").fill("hashed value");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Find a hashed value" });
  await dialog.getByLabel("What it is").selectOption("session");
  await dialog.getByLabel("Value in clear").fill("nobody");
  await page.keyboard.press("Enter");
  await expect(dialog.getByText("No session that is kept has this key.")).toBeVisible();
  await dialog.getByLabel("Value in clear").fill("acme");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/sessions\/[0-9a-f]{32}\?last=all$/u);
  await expect(page.getByRole("article", { name: "Session" })).toBeVisible();
});

test("a value is needed, and Escape leaves everything as it was", async ({ page }) => {
  await open(page);
  const before = page.url();
  await page.getByRole("button", { name: "Find a hashed value…" }).press("Enter");
  const dialog = page.getByRole("dialog", { name: "Find a hashed value" });
  await expect(dialog.getByLabel("Value in clear")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog.getByText("a value is needed")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  expect(page.url()).toBe(before);
});

test("whom the hub would refuse is not offered it", async ({ page }) => {
  await open(page, "viewer");
  await expect(page.getByLabel("Filter sessions")).toBeVisible();
  await expect(page.getByRole("button", { name: "Find a hashed value…" })).toHaveCount(0);
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByLabel("Go to").fill("hashed value");
  await expect(page.getByText("Find a hashed value…")).toHaveCount(0);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const [device, viewport] of [["desktop", { width: 1440, height: 900 }], ["phone", { width: 390, height: 780 }]] as const) {
    test(`the dialog fits and has no serious accessibility fault: ${device}, ${colorScheme}`, async ({ page }) => {
      test.slow();
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await open(page);
      await find(page, address, "User");
      await expect(rows(page)).toHaveCount(1);
      await page.getByRole("button", { name: "Find a hashed value…" }).click();
      const dialog = page.getByRole("dialog", { name: "Find a hashed value" });
      await expect(dialog.getByRole("button", { name: "Find", exact: true })).toBeInViewport();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      expect(grave.map(({ id, nodes }) => [id, nodes.map(({ target }) => String(target))])).toEqual([]);
    });
  }
}
