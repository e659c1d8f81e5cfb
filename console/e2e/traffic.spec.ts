import { expect, test } from "./test.ts";

test.describe.configure({ mode: "serial" });

test("an application is made, shows its share of the traffic, and filters sessions", async ({ page }) => {
  await page.goto("/setup/traffic");
  await page.getByRole("button", { name: "Add an application" }).click();
  await page.getByLabel("ID", { exact: true }).fill("orders");
  await page.getByLabel("Name", { exact: true }).fill("Orders");
  const paths = page.getByRole("group", { name: "Application orders" }).getByRole("combobox", { name: "Paths" });
  await paths.fill("/users");
  await paths.press("Enter");
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByRole("button", { name: "Review and save…" }).click();
  await expect(page.getByRole("list", { name: "Changes" })).toContainText("added application `orders` (any host; /users)");
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
  expect((await fetch(new URL("/users/7/orders", process.env.THREADLINE_PROXY))).status).toBe(401);
  await page.goto("/sessions?application=orders");
  await expect(page.getByRole("option")).toHaveCount(1);
});

test("analysis is limited, and what cannot be is refused at its field", async ({ page }) => {
  await page.goto("/setup/traffic");
  const section = page.getByRole("region", { name: "Analysed traffic" });
  await section.getByRole("radio", { name: /Only some/u }).check();
  await expect(section.getByText("Nothing is chosen yet")).toBeVisible();
  await section.getByRole("combobox", { name: "Applications" }).fill("nowhere");
  await section.getByRole("combobox", { name: "Applications" }).press("Enter");
  await page.getByRole("button", { name: "Review and save…" }).click();
  await expect(page.getByText(/Not saved: 1 field/u)).toBeVisible();
  await expect(section.getByText(/nowhere|no application/iu).last()).toBeVisible();
  await section.getByRole("radio", { name: "All of it" }).check();
  await expect(page.getByRole("region", { name: "Unsaved changes" })).toBeHidden();
});

test("proxies in front are named, and what is none is refused at its field", async ({ page, request }) => {
  await page.goto("/setup/traffic");
  const section = page.getByRole("region", { name: "Trusted proxies" });
  await section.getByRole("combobox", { name: "Networks" }).fill("10.0.0.0/40");
  await section.getByRole("combobox", { name: "Networks" }).press("Enter");
  await page.getByRole("button", { name: "Review and save…" }).click();
  await expect(page.getByText(/Not saved: 1 field/u)).toBeVisible();
  await section.getByRole("combobox", { name: "Networks" }).press("Backspace");
  await section.getByRole("combobox", { name: "Networks" }).fill("192.0.2.0/24");
  await section.getByRole("combobox", { name: "Networks" }).press("Enter");
  await section.getByRole("checkbox", { name: /PROXY protocol/u }).check();
  await page.getByRole("button", { name: "Review and save…" }).click();
  await expect(page.getByRole("list", { name: "Changes" })).toContainText("192.0.2.0/24");
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
  const { policy } = (await (await request.get("/api/v1/policy")).json()) as { policy: { trusted_proxies: unknown } };
  expect(policy.trusted_proxies).toMatchObject({ networks: ["192.0.2.0/24"], proxy_protocol: true });

  // The request comes from here, which is not trusted.
  await fetch(new URL("/health", process.env.THREADLINE_PROXY), { headers: { "X-Forwarded-For": "198.51.100.7" } });
  await expect(section.getByRole("status")).toContainText("127.0.0.1 says who the client is and is not believed");
  await expect(section.getByRole("row").nth(1)).toContainText("the connection itself");
});

test("the application goes again", async ({ page }) => {
  await page.goto("/setup/traffic");
  await page.getByRole("button", { name: "Delete orders" }).click();
  await page.getByRole("button", { name: "Review and save…" }).click();
  await page.getByRole("button", { name: /^Save as version/u }).click();
  await expect(page.getByText(/holds from now on/u)).toBeVisible();
});
