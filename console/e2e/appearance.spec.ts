import { AxeBuilder } from "@axe-core/playwright";
import { expect, holdStill, openList, openSession, type Page, test } from "./test.ts";

test.beforeEach(async ({ page }) => {
  await holdStill(page);
});

const places: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  ["sessions", (page) => openList(page)],
  [
    "session with an open exchange",
    async (page) => {
      await openList(page);
      await openSession(page);
      await page.keyboard.press("j");
      await expect(page.getByRole("region", { name: "Why this session" })).toBeVisible();
    },
  ],
  [
    "parameters",
    async (page) => {
      await page.goto("/setup/parameters");
      await page.getByRole("button", { name: "Add a parameter" }).click();
    },
  ],
  [
    "masks",
    async (page) => {
      await page.goto("/setup/masks");
      await page.getByRole("button", { name: "Add a mask" }).click();
    },
  ],
  [
    "traffic",
    async (page) => {
      await page.goto("/setup/traffic");
      await page.getByRole("button", { name: "Add an application" }).click();
      await page.getByRole("radio", { name: /Only some/u }).check();
    },
  ],
  ["keys", (page) => page.goto("/keys").then(() => expect(page.getByRole("region", { name: "Built-in set" })).toBeVisible())],
  ["status", (page) => page.goto("/system/status").then(() => expect(page.getByRole("heading", { name: "Store" })).toBeVisible())],
  ["tokens", (page) => page.goto("/system/tokens").then(() => expect(page.getByLabel("What for")).toBeVisible())],
  [
    "API reference",
    async (page) => {
      await page.goto("/system/api");
      await page.locator("summary").first().click();
    },
  ],
  ["sign-in", (page) => page.goto("/sign-in").then(() => expect(page.getByLabel("Name")).toBeVisible())],
];

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    for (const [name, open] of places) {
      test(`${name} has no serious accessibility fault`, async ({ page }) => {
        // Every pair of colours on the page is looked at.
        test.slow();
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await open(page);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const grave = violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => ({ id, where: nodes.map(({ target, failureSummary }) => `${String(target)}: ${failureSummary ?? ""}`) }));
        expect(grave).toEqual([]);
      });
    }

    test("the scheme stands before anything is drawn", async ({ page }) => {
      await page.goto("/sign-in", { waitUntil: "commit" });
      await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
    });
  });
}

test("the chosen scheme is kept", async ({ page }) => {
  await openList(page);
  await page.getByRole("button", { name: /^You/u }).click();
  await page.getByRole("menuitem", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", "dark");
});

test("no script or style comes from elsewhere", async ({ page }) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(process.env.THREADLINE_CONSOLE ?? "").origin && !request.url().startsWith("data:")) {
      elsewhere.push(request.url());
    }
  });
  await openList(page);
  expect(elsewhere).toEqual([]);
});
