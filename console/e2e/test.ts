// What every browser test shares: nothing may go wrong unnoticed, and a few words for what pages hold.

import { test as base, expect, type Locator, type Page } from "@playwright/test";

export { expect, type Locator, type Page };

interface Watched {
  /** Errors that a test expects: the browser reports each refused request on its console. */
  readonly expectedErrors: RegExp[];
}

/** A test fails when the page throws, breaks the content policy, or logs an error that was not announced. */
export const test = base.extend<Watched>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the names of fixtures off this pattern
  expectedErrors: async ({}, provide) => {
    await provide([]);
  },
  page: async ({ page, expectedErrors }, provide) => {
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") {
        errors.push(message.text());
      }
    });
    await provide(page);
    expect(errors.filter((error) => !expectedErrors.some((pattern) => pattern.test(error)))).toEqual([]);
  },
});

export function rows(page: Page): Locator {
  return page.getByRole("option");
}

/** The list with at least so many sessions in it. */
export async function openList(page: Page, query = "", least = 1): Promise<void> {
  await page.goto(`/sessions${query}`);
  await expect.poll(() => rows(page).count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(least);
}

/** Keeps the list still: live rows move while a test clicks. */
export async function holdStill(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.localStorage.setItem("threadline-live", "false");
  });
}

/** The rows of an opened session's exchanges. */
export function exchanges(page: Page): Locator {
  return page.getByRole("region", { name: "Exchanges" }).locator("button[aria-expanded]");
}

/** Opens a row of the list and waits for what is in it. */
export async function openSession(page: Page, row = 0): Promise<void> {
  await rows(page).nth(row).click();
  await expect(page.getByRole("article", { name: "Session" })).toBeVisible();
  await expect(exchanges(page).first()).toBeVisible();
}
