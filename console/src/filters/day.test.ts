import { describe, expect, it } from "vitest";
import { isDay, resolveDay } from "./day";
import type { Range } from "./range";
import { emptyScope } from "./search";

const now = Date.parse("2026-11-23T10:00:00Z");
const resolved = (range: Range, day: string): Range => resolveDay({ ...emptyScope, range }, day, now).range;

describe("one day of a session", () => {
  it("takes the whole day where everything kept is looked at", () => {
    expect(resolved({ kind: "last", last: "all" }, "2026-11-22")).toEqual({
      kind: "exact",
      from: "2026-11-22T00:00:00.000Z",
      to: "2026-11-23T00:00:00.000Z",
    });
  });

  it("counts only what lies in the list's range too, so that the numbers stay those of the row", () => {
    expect(resolved({ kind: "last", last: "24h" }, "2026-11-22")).toMatchObject({ from: "2026-11-22T10:00:00.000Z" });
    const exact: Range = { kind: "exact", from: "2026-11-22T23:00:00.123456Z", to: "2026-11-23T01:00:00Z" };
    expect(resolved(exact, "2026-11-22")).toEqual({ ...exact, to: "2026-11-23T00:00:00.000Z" });
    expect(resolved(exact, "2026-11-23")).toEqual({ ...exact, from: "2026-11-23T00:00:00.000Z" });
  });

  it("leaves the range alone where both do not meet", () => {
    const range: Range = { kind: "exact", from: "2026-11-20T00:00:00Z", to: "2026-11-20T01:00:00Z" };
    expect(resolved(range, "2026-11-22")).toEqual(range);
  });

  it("knows a day", () => {
    expect([isDay("2026-11-23"), isDay("2026-13-45"), isDay("today")]).toEqual([true, false, false]);
  });
});
