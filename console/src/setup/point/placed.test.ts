import { describe, expect, it } from "vitest";
import { choices, leftOver } from "./choices";
import { filterPoints, readPoints, seenAfter } from "./listed";
import { type Part, pointsAt, readSides, type Segment, segments } from "./placed";
import type { ListedPoint, Messages, Selection } from "./questions";
import { readForms, readSteps } from "./steps";

const body = '{"user":{"name":"älice"},"token":"t👩1","word":"a\\u0041"}';

function selection(part: string, start: number, end: number, header: number | null = null): Selection {
  return { side: "request", part, header, start, end, exact: true };
}

function point(text: string, value: string, where: Selection | null): ListedPoint {
  const steps = readSteps(text) ?? [];
  return {
    point: text,
    point_json: steps.map((step) => (step.argument === undefined ? step.word : [step.word, step.argument])),
    found: "value",
    value: { content: { text: value, base64: null }, bytes: new TextEncoder().encode(value).length, cut: false },
    selection: where,
    credential: false,
  };
}

const length = new TextEncoder().encode(body).length;
const listed = [
  point("request > uri", "/a/b?q=%20x", selection("target", 0, 11)),
  point("request > path 0", "a", selection("target", 1, 2)),
  point("request > query q", " x", null),
  point("request > header AUTHORIZATION", "Bearer a.b.c", selection("header", 0, 12, 0)),
  point("request > header AUTHORIZATION > jwt token", "a.b.c", selection("header", 7, 12, 0)),
  point("request > header AUTHORIZATION > jwt token > jwt token", "a.b.c", selection("header", 7, 12, 0)),
  point("request > header AUTHORIZATION > jwt token > jwt token > jwt payload > property sub", "ada", null),
  point("request > header AUTHORIZATION > jwt token > jwt payload > property sub", "ada", null),
  point("request > header AUTHORIZATION > bearer", "a.b.c", selection("header", 7, 12, 0)),
  point("request > header AUTHORIZATION > jwt payload > property sub", "ada", null),
  point("request > body", body, selection("body", 0, length)),
  point("request > body > json > property user > property name", "älice", selection("body", 17, 23)),
  point("request > body > json > property token", "t👩1", selection("body", 35, 41)),
  point("request > body > json > property word", "aA", null),
];

const messages: Messages = {
  request: {
    method: { text: "POST", base64: null },
    target: { text: "/a/b?q=%20x", base64: null },
    version: "HTTP/1.1",
    host: null,
    headers: [{ name: "authorization", value: { text: "Bearer a.b.c", base64: null } }],
    body: { content: { text: body, base64: null }, extent: "whole", bytes: length },
  },
  response: null,
};

const points = readPoints(listed);
const [side] = readSides(messages);

function partOf(key: string): Part {
  const found = [...(side?.line ?? []), ...(side?.headers ?? []), ...(side === undefined ? [] : [side.body])].find((part) => part.key === key);
  if (found === undefined) {
    throw new Error(`no part ${key}`);
  }
  return found;
}

function textOf(part: Part, segment: Segment): string {
  return part.bytes.text.slice(segment.from, segment.to);
}

/** What a click onto a text in a part chooses, and what else it offers. */
function click(key: string, text: string) {
  const part = partOf(key);
  const at = part.bytes.text.indexOf(text);
  const segment = segments(part, points, []).find(({ from, to }) => from <= at && at < to);
  const here = pointsAt(part, segment ?? { from: 0, to: 0 }, points);
  return { around: here.around.map((one) => one.listed.point), decoded: here.decoded.map((one) => one.listed.point) };
}

describe("points of a message", () => {
  it("says each thing once: a token of a token is that token", () => {
    const texts = points.map((one) => one.listed.point);
    expect(texts).toContain("request > header AUTHORIZATION > jwt token > jwt payload > property sub");
    expect(texts.filter((text) => text.includes("jwt token > jwt token"))).toEqual([]);
    expect(texts).toHaveLength(listed.length - 2);
  });

  it("shows the steps that were seen behind others, with a value", () => {
    const seen = seenAfter(points, readSteps("request > body > json") ?? []);
    expect(seen.map(({ step, ends, count }) => [step.argument, ends, count])).toEqual([
      ["user", false, 1],
      ["token", true, 1],
      ["word", true, 1],
    ]);
  });

  it("is filtered by words of the spelling or the value", () => {
    expect(filterPoints(points, "PROPERTY älice").map((one) => one.listed.point)).toEqual(["request > body > json > property user > property name"]);
  });
});

describe("a part cut into segments", () => {
  it("covers every character once, the innermost point winning", () => {
    const part = partOf("request body");
    const made = segments(part, points, []);
    expect(made.map((segment) => textOf(part, segment)).join("")).toBe(body);
    expect(made.filter((segment) => (segment.point?.steps.length ?? 0) > 2).map((segment) => textOf(part, segment))).toEqual(["älice", "t👩1"]);
  });

  it("marks what is selected, whole characters and through other points", () => {
    const part = partOf("request header 0");
    const made = segments(part, points, [selection("header", 0, 12, 0)]);
    expect(made.map((segment) => [textOf(part, segment), segment.selected])).toEqual([
      ["Bearer ", "exactly"],
      ["a.b.c", "exactly"],
    ]);
    expect(segments(part, points, [selection("header", 0, 12, 1)]).some((segment) => segment.selected !== undefined)).toBe(false);
  });
});

describe("a click into a message", () => {
  it("chooses the innermost point and offers those around it", () => {
    expect(click("request body", "👩")).toEqual({ around: ["request > body > json > property token", "request > body"], decoded: [] });
    expect(click("request target", "a/b").around).toEqual(["request > path 0", "request > uri"]);
  });

  it("offers what was decoded out of it, each in its shortest spelling", () => {
    expect(click("request header 0", "a.b.c")).toEqual({
      around: ["request > header AUTHORIZATION > jwt token", "request > header AUTHORIZATION > bearer", "request > header AUTHORIZATION"],
      decoded: ["request > header AUTHORIZATION > jwt payload > property sub"],
    });
    expect(click("request target", "%20").decoded).toEqual(["request > query q"]);
    expect(click("request body", "word").decoded).toEqual(["request > body > json > property word"]);
  });
});

describe("choices where a step is expected", () => {
  const forms = readForms(["property NAME", "property", "index N", "index", "json", "jwt PART", "trim"]);
  const before = readSteps("request > body > json") ?? [];
  const offered = (typed: string): readonly string[] => choices(typed, forms, points, before).map((choice) => (choice.kind === "begin" ? choice.typed : choice.text));

  it("begin with what the message shows, then all that may stand there", () => {
    expect(offered("")).toEqual([
      "property user",
      "property token",
      "property word",
      "property ",
      "property",
      "index ",
      "index",
      "json",
      "jwt ",
      "trim",
    ]);
  });

  it("are filtered by what is typed, a name of the message too", () => {
    expect(offered("tok")).toEqual(["property token", "property tok"]);
    expect(offered("json")[0]).toBe("json");
  });

  it("take a name that the message does not show", () => {
    expect(offered("property cart")).toEqual(["property cart"]);
    expect(offered("cart")).toEqual(["property cart"]);
    expect(offered("7")).toEqual(["property 7", "index 7"]);
    expect(offered("index x")).toEqual([]);
    expect(offered("jwt p")).toEqual(["jwt p", "jwt payload", "jwt prefix"]);
    expect(offered('property "a > b"')).toEqual(['property "a > b"']);
    expect(offered("property a b")).toEqual(['property "a b"']);
  });

  it("lose nothing that was typed", () => {
    expect(leftOver("property a b", forms)).toBe('property "a b"');
    expect(leftOver(" nonsense ", forms)).toBe("nonsense");
  });
});
