// Names and values from the wire are an attack on whoever looks at them.

import { connect } from "node:net";
import { expect, openList, openSession, rows, test } from "./test.ts";

const agent = `<img src=x onerror="window.hit=1"> \u202Egnp.exe <script>window.hit=1</script>`;
const path = "/products/%3Cimg%20src=x%20onerror=window.hit=1%3E";

/** One request, byte for byte: no client library cleans it up. */
function send(proxy: URL): Promise<void> {
  return new Promise((done, failed) => {
    const socket = connect(Number(proxy.port), proxy.hostname, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: hostile.example\r\nUser-Agent: ${agent}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("error", failed);
    socket.on("close", () => {
      done();
    });
    socket.resume();
  });
}

test("hostile text is shown as text, with what would be unseen spelled out", async ({ page }) => {
  await send(new URL(process.env.THREADLINE_PROXY ?? ""));
  await openList(page, "?host=hostile.example");
  await expect(rows(page).first()).toContainText("<img src=x");
  await openSession(page);
  await page.keyboard.press("j");
  await expect(page.getByRole("region", { name: "Why this session" })).toBeVisible();
  await expect(page.getByText("⟨U+202E⟩").first()).toBeVisible();
  const details = page.getByRole("article", { name: "Session" });
  await expect(details).toContainText("<script>window.hit=1</script>");
  expect(await page.locator("img[src=x]").count()).toBe(0);
  expect(await page.evaluate(() => "hit" in window)).toBe(false);
  expect(await page.locator("body").innerText()).not.toContain("\u202E");
});

test("hostile text typed into the filter bar stays text", async ({ page }) => {
  await page.goto(`/sessions?user=${encodeURIComponent('<img src=x onerror="window.hit=1">')}&q=${encodeURIComponent("\u202Ehidden")}`);
  await expect(page.getByRole("button", { name: /remove filter user:/u })).toBeVisible();
  expect(await page.evaluate(() => "hit" in window)).toBe(false);
});
