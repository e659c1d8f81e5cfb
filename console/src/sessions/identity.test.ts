import { describe, expect, it } from "vitest";
import type { SessionPart } from "../api/types";
import { clientName, identityOf, withoutHost } from "./identity";

const part = (change: Partial<SessionPart>): SessionPart => ({
  session_id: "0".repeat(32),
  day: "2026-11-23",
  first: "2026-11-23T10:00:00Z",
  last: "2026-11-23T10:05:00Z",
  requests: 3,
  attacks: 0,
  blocked: 0,
  errors: 0,
  ips: [{ value: "203.0.113.7", exchanges: 3 }],
  ip_count: 1,
  hosts: [],
  host_count: 0,
  applications: [],
  user: null,
  user_hashed: false,
  role: null,
  role_hashed: false,
  endpoints: [],
  endpoint_count: 0,
  key: "cookie PHPSESSID",
  key_kind: "builtin",
  key_value: "8f3a".repeat(8),
  key_value_hashed: true,
  user_agent: "curl/8.5.0",
  thread: null,
  ...change,
});

describe("who a session is", () => {
  it("is the user where one is known", () => {
    expect(identityOf(part({ user: "ann" }))).toMatchObject({ kind: "user", text: "ann", detailHashed: true });
  });

  it("is the key's value otherwise, marked as a hash", () => {
    expect(identityOf(part({}))).toMatchObject({ kind: "key", hashed: true, detail: "cookie PHPSESSID" });
  });

  it("is address and client when nothing identifies it", () => {
    expect(identityOf(part({ key_kind: "fallback" }))).toMatchObject({
      kind: "client",
      text: "203.0.113.7",
      detail: "curl/8.5.0",
    });
    expect(identityOf(part({ key_kind: "fallback", ips: [], user_agent: null }))).toMatchObject({
      text: "unknown address",
      detail: "no user agent",
    });
  });
});

describe("clients", () => {
  it.each([
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36", "Chrome on Windows"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox on Linux"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148 Safari/604.1", "Safari on iOS"],
    ["Mozilla/5.0 (compatible; ExampleBot/2.1; +http://bot.example/)", "ExampleBot/2.1"],
    ["ShopApp/4.2 (Android 15)", "ShopApp/4.2 (Android 15)"],
    [null, "no user agent"],
  ])("%s is %s", (agent, name) => {
    expect(clientName(agent)).toBe(name);
  });

  it("does not claim a browser for somebody who only says so in passing", () => {
    expect(clientName("scanner Chrome/1.0")).toBe("scanner Chrome/1.0");
  });
});

it.each([
  ["GET api.shop.io /orders/{int}", "GET /orders/{int}"],
  ["GET api.shop.io/orders/{int}", "GET /orders/{int}"],
  ["GET /orders", "GET /orders"],
  ["odd", "odd"],
  ["POST api.shop.io /a b", "POST /a b"],
])("leaves the host out of %s", (endpoint, short) => {
  expect(withoutHost(endpoint)).toBe(short);
});
