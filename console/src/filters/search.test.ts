import { describe, expect, it } from "vitest";
import { emptySearch, parseSearch, scopeParameters, stringifySearch, withinScope } from "./search";

describe("the address bar", () => {
  it("says nothing when everything is as usual", () => {
    expect(stringifySearch(emptySearch)).toBe("");
    expect(parseSearch("")).toEqual(emptySearch);
  });

  it.each([
    "?last=1h&host=api.shop.io&host=%21old.shop.io&status=4xx&q=checkout",
    "?from=2026-11-23T10%3A00%3A00.000Z&to=2026-11-23T11%3A00%3A00.000Z&user=Ann+Lee",
    "?user=Ann&within=all&exchange=0193",
    "?within=status%3A5xx&within=-method%3AGET&zoom=2026-11-23T10%3A00%3A00Z..2026-11-23T11%3A00%3A00Z&view=full",
    "?within=",
    "?day=2026-11-22&exchange=0193",
    "?within=status%3A5xx&within=checkout",
    "?scale=own",
  ])("a copied link restores the same state: %s", (link) => {
    expect(stringifySearch(parseSearch(link))).toBe(link);
  });

  it("takes only known names", () => {
    const parsed = parseSearch("?__proto__=x&constructor=y&host=a&evil=z");
    expect(parsed.scope.tokens).toEqual([{ field: "host", value: "a", negated: false }]);
    expect(stringifySearch(parsed)).toBe("?host=a");
  });

  it.each(["?last=3y", "?from=yesterday&to=now", "?from=2026-11-23T11:00:00Z&to=2026-11-23T10:00:00Z", "?zoom=a..b"])(
    "falls back where a range makes no sense: %s",
    (link) => {
      expect(parseSearch(link)).toEqual(emptySearch);
    },
  );

  it.each(["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])(
    "never leads elsewhere after signing in: %s",
    (next) => {
      expect(parseSearch(`?next=${encodeURIComponent(next)}`).next).toBeUndefined();
    },
  );
});

describe("what the API is asked", () => {
  it("repeats a field and negates with an exclamation mark", () => {
    const { scope } = parseSearch("?host=a&host=b&host=!c&last=7d");
    expect(scopeParameters(scope)).toEqual({ last: "7d", host: ["a", "b", "!c"] });
  });

  it("inside a session starts from the list's filters", () => {
    expect(withinScope(parseSearch("?status=4xx&session=ab&user=ann&role=&role=buyer&q=x")).tokens.map((token) => token.field)).toEqual(["status"]);
    expect(withinScope(parseSearch("?status=4xx&q=x&within=all"))).toMatchObject({ tokens: [], text: "" });
    expect(withinScope(parseSearch("?status=4xx&within=method:GET")).tokens).toEqual([
      { field: "method", value: "GET", negated: false },
    ]);
  });
});
