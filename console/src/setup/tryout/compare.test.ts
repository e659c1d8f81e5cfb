// Rows that line up, and what is said about differences.

import { describe, expect, it } from "vitest";
import { changeOfCount, changeOfShare, changeOfSpread, lineUp, mixed, outdated, type Ruled, type Tried, verdictOf, worries } from "./compare";

function rule(key: string, exchanges: number, kind = "configured"): Ruled {
  return { kind, key, exchanges, share: exchanges / 100, sessions: 1, outcomes: [] };
}

function figures(rules: readonly Ruled[], sessions: number): Tried["draft"] {
  const spread = { of: 1, median: 1, most: 1 };
  return {
    analysed: 100,
    passed_by: 0,
    uncertain: 0,
    rules: rules.map((one) => ({ sessions: 1, ...one, outcomes: [] })),
    sessions,
    largest_session: 1,
    single_sessions: 0,
    addresses_of_session: spread,
    sessions_of_address: spread,
  };
}

function tried(changes: Partial<Tried["changes"]>, draft: readonly Ruled[] = [rule("a", 100)], exchanges = 100): Tried {
  return {
    against: 3,
    sample: { kind: "recent", exchanges, from: null, to: null, kept_since: null, note: null },
    current: figures([rule("a", 100), rule("b", 0)], 4),
    draft: figures(draft, 2),
    changes: { compared: exchanges, changed: 0, newly_analysed: 0, no_longer_analysed: 0, examples: [], ...changes },
    warnings: [],
    stored: null,
  };
}

describe("lineUp", () => {
  it("follows the draft's order, keeps keys that are gone, and sums the built-in set up", () => {
    const current = [rule("a", 50), rule("gone", 10), rule("b", 0), rule("cookie", 30, "builtin"), rule("basic", 10, "builtin")];
    const draft = [rule("b", 60), rule("a", 20), rule("new", 0), rule("address", 20, "fallback")];
    const rows = lineUp(current, draft).map(({ kind, key, current: now, draft: then }) => [key ?? kind, now?.place, now?.exchanges, then?.place, then?.exchanges]);
    expect(rows).toEqual([
      ["b", 3, 0, 1, 60],
      ["a", 1, 50, 2, 20],
      ["new", undefined, undefined, 3, 0],
      ["gone", 2, 10, undefined, undefined],
      ["builtin", undefined, 40, undefined, 0],
      ["cookie", undefined, 30, undefined, 0],
      ["basic", undefined, 10, undefined, 0],
      ["fallback", undefined, 0, undefined, 20],
      ["address", undefined, 0, undefined, 20],
    ]);
  });

  it("does not mistake what cannot be told for nothing", () => {
    const rows = lineUp([rule("a", 1), rule("cookie", 1, "builtin")], undefined);
    expect(rows.every(({ draft }) => draft === undefined)).toBe(true);
  });

  it("keeps a key apart from a built-in rule of the same name, whatever the name", () => {
    const rows = lineUp([rule("__proto__", 5), rule("__proto__", 7, "builtin")], [rule("__proto__", 1)]);
    expect(rows.map(({ key, current, draft }) => [key, current?.exchanges, draft?.exchanges])).toEqual([
      ["__proto__", 5, 1],
      [undefined, 7, 0],
      ["__proto__", 7, 0],
      [undefined, 0, 0],
    ]);
  });

  it("has a row for what is not told further", () => {
    const rows = lineUp([rule("a", 9)], [rule("b", 1), rule("", 8, "unknown")]);
    expect(rows.find(({ kind }) => kind === "unknown")?.draft?.exchanges).toBe(8);
  });
});

describe("changes", () => {
  it("are said in words", () => {
    expect(changeOfCount(42, 31)).toEqual({ way: "fewer", words: "11 fewer" });
    expect(changeOfCount(3, 3).words).toBe("same");
    const [none, some, most] = [0, 0.004, 0.8].map((share) => ({ place: 1, exchanges: 0, share, sessions: 0, outcomes: [] }));
    expect(changeOfShare(none, most).words).toBe("80 points more");
    expect(changeOfShare(some, none).words).toBe("under 1 point fewer");
    expect(changeOfShare(none, undefined).words).toBe("no longer a key");
    expect(changeOfShare(undefined, none).words).toBe("a new key");
    expect(changeOfSpread({ of: 4, median: 1, most: 9 }, { of: 2, median: 1.5, most: 2 })).toEqual({
      way: "other",
      words: "median 0.5 more, most 7 fewer",
    });
    expect(changeOfSpread({ of: 4, median: 1, most: 2 }, { of: 2, median: 3, most: 5 })).toEqual({ way: "more", words: "median 2, most 3 more" });
  });
});

describe("verdictOf", () => {
  it("says that nothing changes, of how many and beside which version", () => {
    expect(verdictOf(tried({}))).toEqual({ kind: "same", words: "The draft groups these 100 exchanges exactly as version 3 does." });
  });

  it("tells the same sessions by other keys from the same", () => {
    expect(verdictOf(tried({}, [rule("a", 90), rule("new", 10)])).kind).toBe("same_sessions");
  });

  it("counts what changes", () => {
    expect(verdictOf(tried({ changed: 1 })).words).toBe("1 of 100 exchanges changes session. 4 sessions become 2.");
    expect(verdictOf(tried({ compared: 97, no_longer_analysed: 3 })).words).toBe(
      "None of 97 exchanges changes session. 3 exchanges are no longer analysed. 4 sessions become 2.",
    );
  });

  it("does not praise a draft that was tried on nothing", () => {
    expect(verdictOf(tried({}, [], 0)).kind).toBe("nothing");
    expect(verdictOf(tried({ compared: 0 })).words).toBe("Neither the draft nor version 3 analyses any of these 100 exchanges.");
  });
});

describe("worries", () => {
  it("says each once, what the draft brings first", () => {
    const warn = (policy: string, key: string, reason: string, kind = "over_merging") => ({ policy, key, kind, reason });
    const list = worries([
      warn("current", "old", "o"),
      warn("current", "kept", "before"),
      warn("current", "alike", "r"),
      warn("draft", "kept", "now"),
      warn("draft", "alike", "r"),
      warn("draft", "old", "another", "masked"),
    ]);
    expect(list.map(({ key, kind, where, reason, before }) => [where, key, kind, reason, before])).toEqual([
      ["draft", "old", "masked", "another", undefined],
      ["both", "kept", "over_merging", "now", "before"],
      ["both", "alike", "over_merging", "r", undefined],
      ["current", "old", "over_merging", "o", undefined],
    ]);
  });
});

describe("mixed", () => {
  it("shows each way from one rule to another before one again, in the order they came", () => {
    const of = (id: number, from: string) => {
      const session = { session_id: "0", kind: "configured", value: "0" };
      return { exchange_id: String(id), ts: "", method: "GET", host: null, path: "/", status: 200, current: { ...session, key: from }, draft: { ...session, key: "new" } };
    };
    const all = [of(1, "a"), of(2, "a"), of(3, "a"), of(4, "b"), of(5, "c")];
    expect(mixed(all, 4).map(({ exchange_id: id }) => id)).toEqual(["1", "2", "4", "5"]);
    expect(mixed(all, 2).map(({ exchange_id: id }) => id)).toEqual(["1", "4"]);
    expect(mixed(all, 50)).toEqual(all);
  });
});

describe("outdated", () => {
  it("says what changed, the draft first", () => {
    const asked = { draft: "{}", against: 3, source: "recent" };
    expect(outdated(asked, { ...asked })).toBeUndefined();
    expect(outdated(asked, { draft: "{ }", against: 4, source: "1" })).toMatch(/draft changed/u);
    expect(outdated(asked, { ...asked, against: 4 })).toMatch(/Version 4/u);
    expect(outdated(asked, { ...asked, source: "1" })).toMatch(/Other traffic/u);
  });
});
