import { describe, expect, it } from "vitest";
import { abbreviate, axisTime, bytes, dayOf, inUtc, lasting, plural, share, took } from "./format";

describe("numbers", () => {
  it.each([
    [0, "0"],
    [1284, "1,284"],
    [12_840, "12.8K"],
    [3_400_000, "3.4M"],
  ])("%d is read as %s", (count, text) => {
    expect(abbreviate(count)).toBe(text);
  });

  it("counts one and many", () => {
    expect([plural(1, "request"), plural(2, "request"), plural(2, "address", "addresses")]).toEqual([
      "1 request",
      "2 requests",
      "2 addresses",
    ]);
  });

  it("never rounds something to nothing, nor nearly all to all", () => {
    expect([share(1, 10_000), share(9_999, 10_000), share(1, 2), share(0, 5), share(1, 0)]).toEqual([
      "<1%",
      ">99%",
      "50%",
      "0%",
      "0%",
    ]);
  });

  it("reads sizes", () => {
    expect([bytes(0), bytes(1023), bytes(1536), bytes(5 * 1024 * 1024)]).toEqual(["0 B", "1023 B", "1.5 KiB", "5.0 MiB"]);
  });
});

describe("times", () => {
  it("reads lengths in two units at most", () => {
    expect([0, 400, 5_000, 65_000, 3_600_000, 5_400_000, 90_000_000].map(lasting)).toEqual([
      "0 s",
      "<1 s",
      "5 s",
      "1 min 5 s",
      "1 h",
      "1 h 30 min",
      "1 d 1 h",
    ]);
  });

  it("reads how long an exchange took", () => {
    expect([took(420), took(12_345), took(1_234_567), took(12_345_678)]).toEqual(["0.4 ms", "12 ms", "1,235 ms", "12.3 s"]);
  });

  it("names the year only when it is another one", () => {
    const now = new Date(2026, 10, 23, 12);
    expect(dayOf(new Date(2026, 10, 23, 1), now)).toBe("today");
    expect(dayOf(new Date(2026, 9, 1), now)).not.toContain("2026");
    expect(dayOf(new Date(2019, 9, 1), now)).toContain("2019");
  });

  it("is as fine on an axis as the axis needs", () => {
    const moment = new Date(2026, 10, 23, 14, 5, 9, 250);
    expect([500, 5000, 900_000].map((step) => axisTime(moment, step))).toEqual(["14:05:09.250", "14:05:09", "14:05"]);
    expect(axisTime(new Date(2019, 10, 23), 21_600_000)).toContain("2019");
  });

  it("gives UTC to the millisecond", () => {
    expect(inUtc("2026-11-23T10:15:30.123456Z")).toBe("2026-11-23 10:15:30.123 UTC");
  });
});
