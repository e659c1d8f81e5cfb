import { describe, expect, it } from "vitest";
import { asParameter, fromParameter, read, spell, type Token } from "./token";

const token = (field: Token["field"], value: string, negated = false): Token => ({ field, value, negated });

describe("reading the filter bar", () => {
  it("takes fields, negation, quotes and free text", () => {
    expect(read('host:api.shop.io -status:404  user:"Ann Lee" checkout failed')).toEqual({
      tokens: [token("host", "api.shop.io"), token("status", "404", true), token("user", "Ann Lee")],
      text: "checkout failed",
    });
  });

  it.each([
    ["a URL is free text", "https://api.shop.io/a"],
    ["an unknown field is free text", "colour:red"],
    ["an IPv6 address is free text", "2001:db8::1"],
    ["a field without a value is free text", "host:"],
    ["a dash alone is free text", "-"],
    ["names of object properties are free text", "__proto__:x constructor:y"],
  ])("%s", (_why, typed) => {
    expect(read(typed)).toEqual({ tokens: [], text: typed });
  });

  it("keeps a value's own colons", () => {
    expect(read("ip:2001:db8::/32").tokens).toEqual([token("ip", "2001:db8::/32")]);
  });

  it("does not take a quoted field name", () => {
    expect(read('"host:a"')).toEqual({ tokens: [], text: "host:a" });
  });

  it("survives a quote that is never closed", () => {
    expect(read('user:"Ann Lee').tokens).toEqual([token("user", "Ann Lee")]);
  });

  it("names a chip once", () => {
    expect(read("host:a host:a").tokens).toHaveLength(1);
  });
});

describe("spelling", () => {
  it.each([
    token("user", "Ann"),
    token("user", "Ann Lee", true),
    token("user", 'quote " and \\ backslash'),
    token("endpoint", "<img src=x onerror=alert(1)>"),
    token("user", "\u202Egnp.exe"),
    token("ip", "2001:db8::/32", true),
  ])("what is spelled reads back as itself: %j", (one) => {
    expect(read(spell(one))).toEqual({ tokens: [one], text: "" });
  });

  it("round-trips through the API's parameter", () => {
    for (const one of [token("host", "a"), token("host", "a", true), token("user", "!bang"), token("user", "\\x", true)]) {
      expect(fromParameter(one.field, asParameter(one))).toEqual(one);
    }
  });
});
