import { describe, expect, it } from "vitest";
import { type Bin, type Binned, momentAt, place, reach, shape, spanOf, totalOf } from "./geometry";
import { paths } from "./paths";

const bin = (index: number, counts: Omit<Bin, "index"> = { ok: 1 }): Bin => ({ index, ...counts });

const thread = (bins: readonly Bin[], bins_total = 60): Binned => ({
  from: "2026-11-23T10:00:00Z",
  to: "2026-11-23T11:00:00Z",
  bins_total,
  bins,
});

const box = { middle: 20, up: 16, down: 12, stroke: 2 };

describe("laying out", () => {
  it("loses no exchange when bins share a pixel", () => {
    const bins = Array.from({ length: 600 }, (_, index) => bin(index, { ok: 1, server_error: index % 7 === 0 ? 1 : 0 }));
    const one = thread(bins, 600);
    const { marks } = shape(one, spanOf(one), 90, 3);
    expect(marks.length).toBeLessThanOrEqual(30);
    const sum = (of: readonly Bin[]): number => of.reduce((all, each) => all + totalOf(each), 0);
    expect(sum(marks)).toBe(sum(bins));
  });

  it("draws one time scale for several threads", () => {
    const early = thread([bin(0)]);
    const span = { from: Date.parse("2026-11-23T10:00:00Z"), to: Date.parse("2026-11-23T14:00:00Z") };
    const { marks } = shape(early, span, 400, 4);
    expect(marks[0]?.x).toBeLessThan(5);
    const late = { ...early, from: "2026-11-23T13:00:00Z", to: "2026-11-23T14:00:00Z" };
    expect(shape(late, span, 400, 4).marks[0]?.x).toBeGreaterThanOrEqual(300);
  });

  it("breaks the line where nothing happened for longer than the idle limit", () => {
    const one = thread([bin(0), bin(1), bin(50), bin(51)]);
    const { line, breaks } = shape(one, spanOf(one), 600, 2);
    expect(line).toHaveLength(2);
    expect(breaks).toHaveLength(1);
    expect(shape(one, spanOf(one), 600, 2, 60 * 60 * 1000).breaks).toHaveLength(0);
  });

  it("draws nothing for no exchanges, and does not fail", () => {
    const one = thread([]);
    expect(shape(one, spanOf(one), 600, 2)).toEqual({ marks: [], line: [], breaks: [] });
  });

  it("draws nothing while the page is not laid out", () => {
    const one = thread([bin(0), bin(5)]);
    expect(shape(one, spanOf(one), 0, 2).marks).toEqual([]);
  });

  it("stands a moment without length", () => {
    const point = { ...thread([bin(0)], 1), to: "2026-11-23T10:00:00Z" };
    const { marks } = shape(point, spanOf(point), 100, 2);
    expect(Number.isFinite(marks[0]?.x)).toBe(true);
  });

  it("pixel and moment are inverse", () => {
    const span = { from: 1000, to: 5000 };
    expect(momentAt(place(2345, span, 640), span, 640)).toBeCloseTo(2345);
    expect(momentAt(-5, span, 640)).toBe(1000);
  });
});

describe("drawing", () => {
  const draw = (counts: Omit<Bin, "index">): ReturnType<typeof paths> => {
    const one = thread([bin(10, counts)]);
    return paths(shape(one, spanOf(one), 600, 3).marks, box);
  };
  const reached = (path: string): number[] => [...path.matchAll(/V([\d.]+)/gu)].map((match) => Number(match[1]));

  it("puts what went well above the line and what went wrong below it", () => {
    expect(reached(draw({ ok: 1 }).ok).every((y) => y < box.middle)).toBe(true);
    expect(reached(draw({ redirect: 1 }).redirect).every((y) => y < box.middle)).toBe(true);
    expect(reached(draw({ client_error: 1 }).client).every((y) => y > box.middle)).toBe(true);
    expect(reached(draw({ server_error: 1 }).server).every((y) => y > box.middle)).toBe(true);
  });

  it("marks attacks, blocks and missing answers by shape", () => {
    const drawn = draw({ ok: 1, no_response: 1, attacks: 1, blocked: 1 });
    expect(drawn.attack).not.toBe("");
    expect(drawn.blocked).toMatch(/Z$/u);
    expect(drawn.none).toContain("a");
  });

  it("shows one exchange beside ten thousand", () => {
    expect(reach(1, 10_000)).toBeGreaterThan(0.3);
    expect(reach(10_000, 10_000)).toBe(1);
    expect(reach(0, 10)).toBe(0);
  });
});
