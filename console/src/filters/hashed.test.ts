import { describe, expect, it } from "vitest";
import { hashIn, withHashes } from "./hashed";
import type { Token } from "./token";

const one = "0123456789abcdef0123456789abcdef";
const other = "f".repeat(32);
const token = (field: Token["field"], value: string, negated = false): Token => ({ field, value, negated });

describe("hashes in chips", () => {
  it("are found where values may be hashed, with what stands before them", () => {
    expect(hashIn(token("user", one))).toEqual({ before: "", hash: one });
    expect(hashIn(token("parameter", `card:${one}`))).toEqual({ before: "card:", hash: one });
  });

  it("are not what only holds such digits", () => {
    expect(hashIn(token("session", one))).toBeUndefined();
    expect(hashIn(token("user", `a${one}`))).toBeUndefined();
    expect(hashIn(token("user", one.toUpperCase()))).toBeUndefined();
    expect(hashIn(token("parameter", one))).toBeUndefined();
    expect(hashIn(token("parameter", `card:a${one}`))).toBeUndefined();
  });
});

describe("a sought value", () => {
  it("takes the place of chips that it would contradict, all its hashes as alternatives", () => {
    const before = [token("user", "ada"), token("user", "bob", true), token("host", "a.io")];
    expect(withHashes(before, { kind: "user" }, [one, other])).toEqual([
      token("host", "a.io"),
      token("user", one),
      token("user", other),
    ]);
  });

  it("of a parameter leaves other parameters alone", () => {
    const before = [token("parameter", "card:a"), token("parameter", "card\\:x:a")];
    expect(withHashes(before, { kind: "parameter", name: "card:x" }, [one])).toEqual([
      token("parameter", "card:a"),
      token("parameter", `card\\:x:${one}`),
    ]);
  });
});
