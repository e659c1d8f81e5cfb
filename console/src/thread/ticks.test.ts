import { describe, expect, it } from "vitest";
import { timeTicks } from "./ticks";

describe("times on an axis", () => {
  it.each([
    [5, 3],
    [90_000, 6],
    [3_600_000, 8],
    [7 * 86_400_000, 9],
    [40 * 365 * 86_400_000, 5],
  ])("a span of %d ms gets at most %d, all inside", (length, wanted) => {
    const from = Date.parse("2026-11-23T10:07:13.250Z");
    const { step, moments } = timeTicks(from, from + length, wanted);
    expect(moments.length).toBeLessThanOrEqual(wanted + 1);
    expect(moments.every((moment) => moment >= from && moment < from + length)).toBe(true);
    expect(moments.every((moment, at) => at === 0 || moment - (moments[at - 1] ?? 0) === step)).toBe(true);
  });

  it("ends for a span without length", () => {
    expect(timeTicks(1000, 1000, 5).moments).toEqual([]);
  });
});
