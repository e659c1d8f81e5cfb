// Purging from the console. It takes sessions away from the one hub that all tests share, so it comes last.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, holdStill, openList, openSession, type Page, test } from "./test.ts";

test.describe.configure({ mode: "serial" });

const reason = "asked for by letter";

/** Looks, gives a reason and purges what stands in the form. */
async function purge(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Look what it means" }).click();
  await expect(page.getByText(/\d exchanges? in 1 session on 1 day/u).first()).toBeVisible();
  await page.getByLabel("Why", { exact: true }).fill(reason);
  await page.getByRole("button", { name: "Purge…", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Purge for good?" });
  await expect(dialog.getByText(/\d exchanges? in 1 session on 1 day/u)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Keep it" })).toBeFocused();
  await dialog.getByRole("button", { name: "Purge", exact: true }).click();
  await expect(dialog).toBeHidden();
}

test("a session is purged from its own page, and the record says so", async ({ page, expectedErrors }) => {
  await holdStill(page);
  await openList(page, "?last=all");
  await openSession(page);
  const id = /\/sessions\/([0-9a-f]{32})/u.exec(page.url())?.[1] ?? "";
  await page.getByRole("button", { name: "Purge…", exact: true }).click();
  await expect(page).toHaveURL(/\/system\/purges$/u);
  await expect(page.getByLabel("What", { exact: true })).toHaveValue("session");
  await expect(page.getByLabel("Session ID")).toHaveValue(id);
  await purge(page);
  const row = page.getByRole("row", { name: new RegExp(id, "u") });
  await expect(row).toContainText(reason);
  await expect(row).toContainText(/done/u);
  await expect(page.getByLabel("Session ID")).toHaveValue("");

  expectedErrors.push(/404/u);
  await page.goto(`/sessions/${id}?last=all`);
  await expect(page.getByText("No exchange of this session counts here")).toBeVisible();
});

test("a user is purged, and stands in no address, storage or record", async ({ page, request }) => {
  await holdStill(page);
  const list = (await (await request.get("/api/v1/facets?last=all&field=user&limit=50")).json()) as {
    facets: { values: { value: string | null; sessions?: number }[] }[];
  };
  const user = list.facets[0]?.values.map(({ value }) => value).find((value) => value !== null) ?? "";
  expect(user).not.toBe("");
  await openList(page, `?last=all&user=${encodeURIComponent(user)}`);
  await openSession(page);
  const asked: string[] = [];
  page.on("request", (sent) => asked.push(sent.url()));
  await page.getByRole("button", { name: "Purge…", exact: true }).click();
  await page.getByLabel("What", { exact: true }).selectOption({ label: "A user" });
  await expect(page.getByLabel("User", { exact: true })).toHaveValue(user);
  const held = await page.evaluate(() => JSON.stringify([location.href, history.state, { ...sessionStorage }]));
  expect(held).not.toContain(user);
  await page.getByRole("button", { name: "Look what it means" }).click();
  await expect(page.getByText(/\d exchanges? in \d+ sessions? on \d days?/u)).toBeVisible();
  await page.getByLabel("Why", { exact: true }).fill(reason);
  await page.getByRole("button", { name: "Purge…", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Purge", exact: true }).click();
  const row = page.getByRole("row", { name: /^.* user [0-9a-f]{8} / });
  await expect(row).toContainText(/done/u);
  expect(asked.filter((url) => url.includes("/purges")).join("\n")).not.toContain(encodeURIComponent(user));
  const record = await (await request.get("/api/v1/purges")).text();
  expect(record).not.toContain(user);
  const { total } = (await (await request.get(`/api/v1/sessions?last=all&user=${encodeURIComponent(user)}`)).json()) as { total: number };
  expect(total).toBe(0);
});

test("what does not fit is said, and what cannot be is refused at its field", async ({ page, expectedErrors }) => {
  expectedErrors.push(/422/u);
  await page.goto("/system/purges");
  await page.getByLabel("User", { exact: true }).fill("nobody at all");
  await page.getByRole("button", { name: "Look what it means" }).click();
  await expect(page.getByText("Nothing that is stored fits.")).toBeVisible();
  await page.getByLabel("What", { exact: true }).selectOption("session");
  await expect(page.getByText("Nothing that is stored fits.")).toHaveCount(0);
  await page.getByLabel("Session ID").fill("xyz");
  await page.getByRole("button", { name: "Look what it means" }).click();
  await expect(page.getByLabel("Session ID")).toHaveAttribute("aria-invalid", "true");
});

/** Nothing stands beside the window, and axe finds nothing serious. */
async function unfaulted(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  expect(grave.map(({ id, nodes }) => [id, nodes.map(({ target }) => String(target))])).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [device, viewport] of [["desktop", { width: 1440, height: 900 }], ["phone", { width: 390, height: 780 }]] as const) {
    test(`the page fits and has no serious accessibility fault: ${device}, ${colorScheme}`, async ({ page }) => {
      test.slow();
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.goto("/system/purges");
      await page.getByLabel("User", { exact: true }).fill("nobody at all");
      await page.getByRole("button", { name: "Look what it means" }).click();
      await expect(page.getByLabel("Why", { exact: true })).toBeVisible();
      await expect(page.getByRole("row").nth(1)).toBeVisible();
      await unfaulted(page);
      await page.getByLabel("Why", { exact: true }).fill(reason);
      await page.getByRole("button", { name: "Purge…", exact: true }).click();
      const dialog = page.getByRole("dialog", { name: "Purge for good?" });
      await expect(dialog.getByRole("button", { name: "Purge", exact: true })).toBeInViewport();
      await unfaulted(page);
      await dialog.getByRole("button", { name: "Keep it" }).click();
      await expect(dialog).toBeHidden();
    });
  }
}
