// The point editor: steps, text and message say the same, by mouse and by keyboard. Nothing is saved here, so that
// other tests of the policy are not disturbed.

import { AxeBuilder } from "@axe-core/playwright";
import { request as http } from "node:http";
import { expect, type Locator, type Page, test } from "./test.ts";

async function edit(page: Page): Promise<Locator> {
  await page.goto("/setup/parameters");
  await page.getByRole("button", { name: "Add a parameter" }).click();
  const point = page.getByLabel("Point", { exact: true });
  await expect(point).toBeVisible();
  return point;
}

async function openBench(page: Page, point = ""): Promise<Locator> {
  const field = await edit(page);
  if (point !== "") {
    await field.fill(point);
  }
  await page.getByRole("button", { name: "Choose from a message" }).click();
  const bench = page.getByRole("dialog", { name: "Choose from a message" });
  await expect(bench.getByRole("region", { name: "Request" })).toBeVisible();
  return bench;
}

/** A text where it stands in the message, not in the list beside it. */
function inMessage(bench: Locator, text: string | RegExp, side = "Request"): Locator {
  return bench.getByRole("region", { name: side }).getByText(text, { exact: true });
}

/** The steps as they are read: `request body json`. */
async function expectSteps(within: Page | Locator, steps: readonly string[]): Promise<void> {
  await expect(within.locator("[data-step]")).toHaveText(steps.map((step) => new RegExp(`^${step.replaceAll(" ", "\\s*")}$`, "iu")));
}

/** The text spelling, behind its switch. */
async function expectText(within: Page | Locator, text: string): Promise<void> {
  await within.getByRole("button", { name: "Edit as text" }).click();
  await expect(within.getByLabel("Point", { exact: true })).toHaveValue(text);
  await within.getByRole("button", { name: "Edit step by step" }).click();
}

test("a point is built step by step with the keyboard alone", async ({ page }) => {
  const point = await edit(page);
  await point.focus();
  await expect(page.getByRole("option", { name: "response" })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expectSteps(page, ["response"]);
  await expect(page.getByText("Leads on: choose what follows.")).toBeVisible();

  // Typing filters; Enter takes the first; a separator ends a step.
  await page.keyboard.type("bod");
  await expect(page.getByRole("option", { name: "body" })).toBeVisible();
  await page.keyboard.press("Enter");
  await page.keyboard.type("json > ");
  await expectSteps(page, ["response", "body", "json"]);
  // Names that the message shows are offered, with their values.
  await expect(page.getByRole("option", { name: /^property token/u })).toBeVisible();
  await page.keyboard.type("tok");
  await page.keyboard.press("Enter");
  await expectSteps(page, ["response", "body", "json", "property token"]);
  await expect(page.getByText("Credentials stand here.")).toBeVisible();

  // Backspace takes the last step away, arrows walk, plus inserts, Delete removes in the middle.
  await page.keyboard.press("Backspace");
  await expectSteps(page, ["response", "body", "json"]);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("+");
  await page.keyboard.type("base64");
  await page.keyboard.press("Enter");
  await expectSteps(page, ["response", "body", "base64", "json"]);
  await expectText(page, "response > body > base64 > json");
  await page.locator("[data-step='2']").focus();
  await page.keyboard.press("Delete");
  await expectSteps(page, ["response", "body", "json"]);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expectSteps(page, ["response", "body", "json"]);
});

test("steps are replaced and inserted with the mouse, and the one at fault is marked", async ({ page }) => {
  const point = await edit(page);
  await point.fill("request > body > json > property user");
  await expectSteps(page, ["request", "body", "json", "property user"]);
  await page.locator("[data-step='1']").click();
  await page.getByRole("option", { name: /^method/u }).click();
  await expectSteps(page, ["request", "method", "json cannot stand here", "property user"]);
  await expect(page.getByText(/`json` cannot stand after `method`/u)).toBeVisible();
  await page.locator("[data-step='1']").click();
  await page.getByLabel("Step 2").fill("header x-tenant");
  await page.keyboard.press("Enter");
  // The hub spells it.
  await expectSteps(page, ["request", "header X-TENANT", "json", "property user"]);
  await page.getByRole("button", { name: "Insert a step before json" }).click();
  await page.getByLabel("New step before step 3").fill("base64");
  await page.getByRole("option", { name: "base64" }).click();
  await page.getByRole("button", { name: "Remove json" }).click();
  await expectText(page, "request > header X-TENANT > base64 > property user");
});

test("text and steps are the same, and nothing that is typed is lost", async ({ page }) => {
  const point = await edit(page);
  await page.getByRole("button", { name: "Edit as text" }).click();
  await page.getByLabel("Point", { exact: true }).fill('request > query "a > b" > percent');
  await page.getByRole("button", { name: "Edit step by step" }).click();
  await expectSteps(page, ["request", "query a > b", "percent"]);
  await point.pressSequentially("nonsense");
  await page.getByLabel("Name", { exact: true }).focus();
  await expectSteps(page, ["request", "query a > b", "percent", "nonsense cannot stand here"]);
  // What is no row of steps stays text.
  await point.fill('request > query "open');
  await page.getByLabel("Name", { exact: true }).focus();
  await expect(page.getByText(/quoted name that is not closed/u)).toBeVisible();
  await expect(page.getByRole("button", { name: "Edit step by step" })).toBeDisabled();
});

test("a click into the message chooses the point, and the point marks the message", async ({ page }) => {
  const bench = await openBench(page);
  await inMessage(bench, "north").click();
  await expectSteps(bench, ["request", "header X-TENANT"]);
  await expect(bench.locator("mark")).toHaveText("north");
  await expect(bench.getByText("Finds this value")).toBeVisible();

  // A token has claims that do not stand in the message as such.
  await inMessage(bench, /^eyJhbGciOiJIUzI1NiJ9/u, "Response").click();
  const menu = page.getByRole("menu", { name: "Points of what was clicked" });
  await expect(menu.getByRole("menuitem", { name: /property token\s*eyJ/u })).toBeVisible();
  await menu.getByRole("menuitem", { name: /jwt payload › property tenant/u }).click();
  await expect(bench.getByText("Decoded out of what is marked with dashes.")).toBeVisible();
  await expect(bench.getByRole("status").getByText("north")).toBeVisible();
  await bench.getByRole("button", { name: "Done" }).click();
  await expectText(page, "response > body > json > property token > jwt payload > property tenant");
});

test("a point that finds nothing says where it stopped, and what stands there leads on", async ({ page }) => {
  const bench = await openBench(page, "request > body > json > property device > property name");
  await expect(bench.getByText(/Finds nothing: stops at step 5/u)).toBeVisible();
  await expect(bench.locator("mark")).toHaveCount(0);
  await bench.getByRole("button", { name: "id", exact: true }).click();
  await expectSteps(bench, ["request", "body", "json", "property device", "property id"]);
  await expect(bench.locator("mark")).toHaveText("d-4711");
});

test("the list of points leads through the message without a mouse", async ({ page }) => {
  const bench = await openBench(page);
  const filter = bench.getByRole("combobox", { name: "Points of this message" });
  await filter.focus();
  await page.keyboard.type("cookie dark");
  await expect(bench.getByRole("option", { name: /cookie theme/u })).toBeVisible();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expectSteps(bench, ["request", "header COOKIE", "cookie theme"]);
  await expect(bench.locator("mark")).toHaveText("dark");
  // Escape closes what is open innermost.
  await bench.getByLabel("Point", { exact: true }).focus();
  await expect(page.getByRole("option", { name: "trim" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("option", { name: "trim" })).toBeHidden();
  await expect(bench).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(bench).toBeHidden();
});

test("a sample is written or pasted; bytes and characters agree; hostile text stays text", async ({ page, expectedErrors }) => {
  expectedErrors.push(/422/u);
  const bench = await openBench(page, "request > body > json > property after");
  await bench.getByRole("button", { name: "Edit the sample" }).click();
  await bench.getByLabel("Request", { exact: true }).fill("nonsense");
  await bench.getByRole("button", { name: "Use this sample" }).click();
  await expect(bench.getByText(/first line is no request line/u)).toBeVisible();
  const hostile = '{"before":"ä👩\u202E<img src=x onerror=window.hit=1>","after":"exactly this"}';
  await bench.getByLabel("Request", { exact: true }).fill(`POST /x HTTP/1.1\nHost: a.example\n\n${hostile}`);
  await bench.getByRole("button", { name: "Use this sample" }).click();
  await expect(bench.locator("mark")).toHaveText("exactly this");
  await expect(bench.getByRole("region", { name: "Request" })).toContainText("ä👩⟨U+202E⟩<img src=x");
  expect(await page.locator("body").innerText()).not.toContain("\u202E");
  expect(await page.evaluate(() => "hit" in window)).toBe(false);

  await bench.getByRole("button", { name: "Edit the sample" }).click();
  await bench.getByText("HAR entry").first().click();
  await bench.getByRole("textbox", { name: "HAR entry" }).fill("no json");
  await bench.getByRole("button", { name: "Use this sample" }).click();
  await expect(bench.getByText("is not JSON")).toBeVisible();
  const entry = {
    startedDateTime: "2026-11-20T10:00:00.000Z",
    time: 3,
    request: { method: "GET", url: "https://har.example/p?after=1", httpVersion: "HTTP/1.1", headers: [{ name: "X-Har", value: "from-har" }], queryString: [], cookies: [], headersSize: -1, bodySize: 0 },
    response: { status: 204, statusText: "", httpVersion: "HTTP/1.1", headers: [], cookies: [], content: { size: 0, mimeType: "" }, redirectURL: "", headersSize: -1, bodySize: 0 },
    cache: {},
    timings: { send: 1, wait: 1, receive: 1 },
  };
  await bench.getByRole("textbox", { name: "HAR entry" }).fill(JSON.stringify({ log: { entries: [entry] } }));
  await bench.getByRole("button", { name: "Use this sample" }).click();
  await inMessage(bench, "from-har").click();
  await expectSteps(bench, ["request", "header X-HAR"]);
});

test("a body of 64 KiB stays smooth", async ({ page }) => {
  const bench = await openBench(page);
  await bench.getByRole("button", { name: "Edit the sample" }).click();
  const rows = Array.from({ length: 400 }, (_, position) => ({ id: `row-${position}`, text: "ü".repeat(62) }));
  const body = JSON.stringify({ rows });
  expect(new TextEncoder().encode(body).length).toBeGreaterThan(60_000);
  await bench.getByLabel("Request", { exact: true }).fill(`POST /x HTTP/1.1\nHost: a.example\nContent-Type: application/json\n\n${body}`);
  await bench.getByRole("button", { name: "Use this sample" }).click();
  const value = inMessage(bench, "row-100");
  await expect(value).toBeVisible();
  await value.click();
  await expectSteps(bench, ["request", "body", "json", "property rows", "index 100", "property id"]);
  await expect(bench.locator("mark")).toHaveText("row-100");
  await page.keyboard.press("Escape");
  // How long the page does nothing else while another value is chosen.
  const longest = await page.evaluate(async () => {
    const dialog = document.querySelector("[role=dialog]");
    const target = [...(dialog?.querySelectorAll<HTMLElement>("[data-from]") ?? [])].find((piece) => piece.textContent === "row-101");
    let most = 0;
    let last = performance.now();
    const until = last + 1500;
    target?.click();
    while (performance.now() < until) {
      await new Promise((done) => setTimeout(done, 0));
      most = Math.max(most, performance.now() - last);
      last = performance.now();
    }
    return most;
  });
  await expect(bench.locator("mark")).toHaveText("row-101");
  expect(longest).toBeLessThan(1000);
});

test("a body of unseen characters alone does not stop the page", async ({ page }) => {
  const bench = await openBench(page);
  await bench.getByRole("button", { name: "Edit the sample" }).click();
  await bench.getByLabel("Request", { exact: true }).fill(`POST /x HTTP/1.1\nHost: a.example\nX-Behind: still here\n\n${"\u0001".repeat(64_000)}`);
  await bench.getByRole("button", { name: "Use this sample" }).click();
  await expect(bench.getByText("the rest is not drawn")).toBeAttached();
  await inMessage(bench, "still here").click();
  await expectSteps(bench, ["request", "header X-BEHIND"]);
});

test("recent exchanges are explained, switched on, chosen from, and forgotten", async ({ page }) => {
  const bench = await openBench(page);
  await bench.getByText("A recent exchange", { exact: true }).click();
  await expect(bench.getByText("Recent exchanges are not kept")).toBeVisible();
  await bench.getByRole("button", { name: "Keep recent exchanges" }).click();
  await expect(bench.getByRole("button", { name: "Stop keeping them" })).toBeVisible();
  await send("/chosen-from?tenant=south");
  await expect(async () => {
    await bench.getByRole("button", { name: "Newer ones" }).click();
    await bench.getByRole("textbox", { name: "Filter recent exchanges" }).fill("chosen-from");
    await expect(bench.getByRole("list", { name: "Recent exchanges" }).getByRole("button")).toHaveCount(1, { timeout: 1000 });
  }).toPass({ timeout: 15_000 });
  await bench.getByRole("list", { name: "Recent exchanges" }).getByRole("button").click();
  await inMessage(bench, "south").click();
  await expectSteps(bench, ["request", "query tenant"]);
  await expect(bench.locator("mark")).toHaveText("south");
  await page.keyboard.press("Escape");

  await bench.getByRole("button", { name: "Another one" }).click();
  await bench.getByRole("button", { name: "Stop keeping them" }).click();
  await page.getByRole("button", { name: "Stop and forget" }).click();
  await expect(bench.getByText("Recent exchanges are not kept")).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`has no serious accessibility fault (${colorScheme})`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const bench = await openBench(page, "request > body > json > property device > property name");
    await expect(bench.getByText(/Finds nothing/u)).toBeVisible();
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  });
}

test("reads down one column on a narrow screen", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const bench = await openBench(page, "request > header X-TENANT");
  await expect(bench.locator("mark")).toHaveText("north");
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
  expect(await bench.evaluate((dialog) => dialog.scrollWidth <= dialog.clientWidth + 1)).toBe(true);
  // Choosing moves the list of points below, not the page away from the message.
  const points = bench.getByRole("listbox", { name: "Points of this message" });
  const scrolled = (): Promise<number> =>
    points.evaluate((list) => {
      let sum = 0;
      for (let around = list.parentElement; around !== null; around = around.parentElement) {
        sum += around.scrollTop;
      }
      return sum;
    });
  expect(await scrolled()).toBe(0);
  await inMessage(bench, "phone").click();
  await expect(bench.locator("mark")).toHaveText("phone");
  await expect(points.getByRole("option", { selected: true })).toContainText("property kind");
  expect(await points.evaluate((list) => list.scrollTop)).toBeGreaterThan(0);
  expect(await scrolled()).toBe(0);
});

/** One request through the demo's node. */
function send(path: string): Promise<void> {
  return new Promise((done, failed) => {
    const sent = http(new URL(path, process.env.THREADLINE_PROXY), (answer) => {
      answer.resume();
      answer.on("end", () => {
        done();
      });
    });
    sent.on("error", failed);
    sent.end();
  });
}
