import { describe, expect, it } from "vitest";
import { fromJson, isWhole, keysOf, readForms, readSteps, spell, splice, typedThrough } from "./steps";

const login = "request > body > json > property token";

describe("steps and text", () => {
  it.each([
    login,
    "request > header X-TENANT",
    'request > query ""',
    'request > body > json > property "a b"',
    'request > body > json > property "a > \\"b\\" › c\\n"',
    'request > body > json > property "\\u202e"',
    "request > query > all",
    "request",
    "",
  ])("read and written again is the same: %s", (text) => {
    expect(spell(readSteps(text) ?? [{ word: "lost", argument: undefined }])).toBe(text);
  });

  it("reads what is not finished, and loose spacing", () => {
    expect(readSteps("request > body >")?.map((step) => step.word)).toEqual(["request", "body"]);
    expect(spell(readSteps(" request>header  X ") ?? [])).toBe("request > header X");
  });

  it.each(["request > > body", "> body", 'request > query "a', "request > header a b", 'request > "x"', 'request > query a"b'])(
    "leaves to the hub what is no row of steps: %s",
    (text) => {
      expect(readSteps(text)).toBeUndefined();
    },
  );

  it("reads the JSON spelling, numbers too", () => {
    expect(spell(fromJson(["request", ["path", 3], "percent", ["capture", "^a (.)"]]))).toBe('request > path 3 > percent > capture "^a (.)"');
  });

  it("tells equal steps whatever the case of a header", () => {
    const key = (text: string): string => keysOf(readSteps(text) ?? []);
    expect(key("request > header x-a")).toBe(key("request > header X-A"));
    expect(key("request > query x")).not.toBe(key("request > query X"));
    expect(key("request > query")).not.toBe(key('request > query ""'));
  });
});

describe("editing step by step", () => {
  const steps = readSteps(login) ?? [];

  it("replaces, inserts, removes and appends", () => {
    expect(splice(steps, 3, 4, "property user")).toBe("request > body > json > property user");
    expect(splice(steps, 2, 2, "base64")).toBe("request > body > base64 > json > property token");
    expect(splice(steps, 1, 2, "")).toBe("request > json > property token");
    expect(splice(steps, 4, 4, "jwt payload > property sub")).toBe(`${login} > jwt payload > property sub`);
    expect(splice([], 0, 0, "response")).toBe("response");
  });

  it("takes what is typed once its separator is there, and what is pasted at once", () => {
    expect(typedThrough("body")).toBeUndefined();
    expect(typedThrough("body >")).toEqual({ done: "body", rest: "" });
    expect(typedThrough("body > json > property x")).toEqual({ done: "body > json > property x", rest: "" });
    expect(typedThrough('property "a >')).toBeUndefined();
    expect(typedThrough('property "a > b" >')).toEqual({ done: 'property "a > b"', rest: "" });
  });

  it("knows a whole point from a part of one", () => {
    expect(isWhole("Request > header X")).toBe(true);
    expect(isWhole("body > json")).toBe(false);
    expect(isWhole("requested > x")).toBe(false);
  });

  it("reads which steps may stand, and which of them mean every one", () => {
    expect(readForms(["path N", "path", "json"])).toEqual([
      { word: "path", takes: "N", every: false },
      { word: "path", takes: undefined, every: true },
      { word: "json", takes: undefined, every: false },
    ]);
  });
});
