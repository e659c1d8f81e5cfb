// A draft of the policy tried out on traffic. The page shows the policy that holds; a draft is made by changing what it
// loads. Nothing is saved.

import { AxeBuilder } from "@axe-core/playwright";
import { readFileSync } from "node:fs";
import { request as http } from "node:http";
import { expect, type Page, test } from "./test.ts";

interface Policy {
  parameters: { name: string; point: string; group?: boolean; hashed?: boolean }[];
}

const recording = "../testdata/har/chrome.har";

/** Goes through the proxy; its answer does not matter. */
function send(path: string, body: string): Promise<void> {
  const url = new URL(path, process.env.THREADLINE_PROXY);
  return new Promise((resolve, reject) => {
    const sent = http(url, { method: "POST", headers: { Host: "api.shop.example", "Content-Type": "application/json" } }, (response) => {
      response.resume();
      response.on("end", () => {
        resolve();
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Keys for two tokens of a request, in this order. */
async function draft(page: Page, order: readonly string[]): Promise<void> {
  await page.unroute("**/api/v1/policy");
  await page.route("**/api/v1/policy", async (route) => {
    const answer = await route.fetch();
    const loaded = (await answer.json()) as { policy: Policy };
    const keys = order.map((place) => ({ name: `try ${place}`, point: place, group: true, hashed: true }));
    loaded.policy.parameters = [...keys, ...loaded.policy.parameters];
    await route.fulfill({ response: answer, json: loaded });
  });
}

const byQuery = ["request > query try"];

async function open(page: Page): Promise<void> {
  await page.goto("/setup/try-out");
  await expect(page.getByRole("heading", { name: "Try out" })).toBeVisible();
}

async function keep(page: Page, on: boolean): Promise<void> {
  await page.request.put("/api/v1/recent-exchanges/settings", { headers: { Origin: new URL(page.url()).origin }, data: { on } });
}

/** Drops a file on the panel, as a file manager does. */
async function drop(page: Page, name: string, text: string): Promise<void> {
  const data = await page.evaluateHandle(
    ([file, content]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([content ?? ""], file ?? "", { type: "application/json" }));
      return transfer;
    },
    [name, text],
  );
  const panel = page.getByRole("region", { name: "Try out" });
  await panel.dispatchEvent("dragenter", { dataTransfer: data });
  await expect(page.getByText("Drop the recording to try the draft on it")).toBeVisible();
  await panel.dispatchEvent("drop", { dataTransfer: data });
  await expect(page.getByText("Drop the recording to try the draft on it")).toBeHidden();
}

function changed(page: Page) {
  return page.getByRole("table", { name: "Exchanges that change session" });
}

test("says why there is nothing while recent exchanges are not kept, and offers the switch", async ({ page }) => {
  await open(page);
  await keep(page, false);
  await page.reload();
  await expect(page.getByText("Recent exchanges are not kept")).toBeVisible();
  await expect(page.getByRole("button", { name: "Try on recent traffic" })).toBeHidden();
  await page.getByRole("button", { name: "Keep recent exchanges" }).click();
  await expect(page.getByText("The nodes hold no exchange yet")).toBeVisible();
  await expect(page.getByRole("button", { name: "Try on recent traffic" })).toBeHidden();
  // What comes shows by itself.
  await send("/cart?try=one", "{}");
  await expect(page.getByText(/The nodes hold\s*\d+/u)).toBeVisible();
  await expect(page.getByRole("button", { name: "Try on recent traffic" })).toBeEnabled();
});

test("a changed order of keys shows its figures beside those that hold, and what changes session", async ({ page }) => {
  await draft(page, byQuery);
  await open(page);
  await keep(page, true);
  for (const query of ["one", "one", "two"]) {
    await send(`/cart?try=${query}`, `{"try":"body ${query}"}`);
  }
  await page.reload();
  await page.getByRole("button", { name: "Try on recent traffic" }).click();
  const figures = page.getByRole("table", { name: "Both policies side by side" });
  await expect(page.getByRole("heading", { name: /exchanges change session/u }).first()).toBeVisible();
  await expect(page.getByText(/^Of \d+ exchanges?, seen \d\d:\d\d:\d\d/u)).toBeVisible();
  await expect(figures.getByRole("columnheader", { name: /^Draft of \d+ exchanges/u })).toBeVisible();
  const key = figures.getByRole("row", { name: /try request > query try/u });
  await expect(key.getByRole("cell").first()).toHaveText("no key");
  await expect(key.getByRole("cell").nth(1)).toHaveText(/1\.\s*\d+%\s*[34]/u);
  await expect(key.getByRole("cell").nth(2)).toHaveText("a new key");
  await expect(figures.getByRole("row", { name: /^Sessions \d/u })).toHaveText(/fewer|more|same/u);
  await expect(page.getByRole("heading", { name: "Over what is stored, the last 24 hours" })).toBeVisible();
  await expect(page.getByText(/is no parameter of the policy that holds, so its values were not exported/u)).toBeVisible();

  // Each can be opened; its session opens beside, so that the draft stays.
  await expect(changed(page).getByRole("row", { name: /POST api\.shop\.example\/cart/u }).first()).toContainText("try request > query try");
  await changed(page).getByRole("button", { name: /POST api\.shop\.example\/cart/u }).first().click();
  const opened = page.getByRole("dialog", { name: /An exchange that changes session/u });
  await expect(opened.getByText(/^\/cart\?try=/u)).toBeVisible();
  await expect(opened.getByRole("link", { name: /Open this session/u })).toHaveAttribute("href", /\/sessions\/[0-9a-f]{32}\?.*exchange=/u);
  await expect(opened.getByRole("link", { name: /Open this session/u })).toHaveAttribute("target", "_blank");
  await page.keyboard.press("Escape");

  // The result outlives the page, greyed once the draft is another one.
  await draft(page, ["request > body > json > property try", ...byQuery]);
  await page.getByRole("link", { name: "Sessions" }).click();
  await expect(page.getByRole("heading", { name: "Try out" })).toBeHidden();
  await page.goBack();
  await expect(page.getByText("The draft changed since: run it again.")).toBeVisible();
  await page.keyboard.press("Control+Enter");
  await expect(page.getByText("The draft changed since: run it again.")).toBeHidden();
  await expect(changed(page).getByRole("row", { name: /POST api\.shop\.example\/cart/u }).first()).toContainText("try request > body");
});

test("a draft that changes nothing is said to", async ({ page }) => {
  await open(page);
  await keep(page, true);
  await page.getByRole("button", { name: "Try on recent traffic" }).click();
  await expect(page.getByRole("heading", { name: /^The draft groups these \d+ exchanges exactly as version \d+ does\.$/u })).toBeVisible();
  await expect(changed(page)).toBeHidden();
});

test("what runs is cancelled", async ({ page }) => {
  await open(page);
  await keep(page, true);
  await page.route("**/api/v1/policy/try", () => {});
  await page.getByRole("button", { name: "Try on recent traffic" }).click();
  await expect(page.getByText("Trying both policies on what the nodes hold…")).toBeVisible();
  const gone = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/policy/try"));
  await page.getByRole("button", { name: "Cancel" }).click();
  await gone;
  await expect(page.getByRole("button", { name: "Try on recent traffic" })).toBeEnabled();
  await expect(page.getByRole("alert")).toBeHidden();
});

test("a recording that is dropped on the panel is tried", async ({ page }) => {
  await draft(page, ["request > header HOST"]);
  await open(page);
  await drop(page, "shop \u202Erah.har", readFileSync(recording, "utf8"));
  await expect(page.getByText("shop ⟨U+202E⟩rah.har")).toBeVisible();
  await page.getByRole("button", { name: "Try on this recording" }).click();
  await expect(page.getByText(/^Of 5 exchanges in shop ⟨U\+202E⟩rah\.har, recorded 4 Mar/u)).toBeVisible();
  await expect(page.getByText(/Archives have no client addresses/u)).toBeVisible();
  await expect(changed(page).getByRole("row", { name: /POST api\.shop\.example\/login/u })).toContainText("200");
  await expect(changed(page).getByRole("button")).toHaveCount(0);
  await page.getByRole("button", { name: "Forget it" }).click();
  await expect(page.getByRole("button", { name: "Try on this recording" })).toBeHidden();
});

test("files that are no recording are refused with the reason, and what was there stays", async ({ page, expectedErrors }) => {
  expectedErrors.push(/422/u);
  await open(page);
  await page.getByText("A recording", { exact: true }).click();
  await page.getByLabel("Recording", { exact: true }).setInputFiles(recording);
  await expect(page.getByText("chrome.har")).toBeVisible();
  await page.getByLabel("Recording", { exact: true }).setInputFiles({ name: "large.har", mimeType: "application/json", buffer: Buffer.alloc(16 * 1024 * 1024 + 1, 32) });
  await expect(page.getByRole("alert")).toContainText("at most 16.0 MiB can be tried");
  await expect(page.getByText("chrome.har")).toBeVisible();
  await drop(page, "page.html", "<html></html>");
  await page.getByRole("button", { name: "Try on this recording" }).click();
  await expect(page.getByRole("alert")).toContainText("it does not begin with a JSON object");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`has no serious accessibility fault (${colorScheme})`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await draft(page, [...byQuery, "request > query never"]);
    await open(page);
    await keep(page, true);
    for (let sent = 0; sent < 20; sent += 1) {
      await send("/cart?try=axe", "{}");
      await send("/cart", "{}");
    }
    await page.getByRole("button", { name: "Try on recent traffic" }).click();
    await expect(page.getByRole("list", { name: "Warnings" })).toContainText("was tried on");
    await expect(page.getByRole("list", { name: "Warnings" })).toContainText("New in the draft");
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  });
}

test("reads down one column on a narrow screen", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await draft(page, byQuery);
  await open(page);
  await keep(page, true);
  await page.getByRole("button", { name: "Try on recent traffic" }).click();
  await expect(changed(page)).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await keep(page, false);
});
