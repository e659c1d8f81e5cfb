// One UTC day of a session. A row of the sessions list is a session's part of one day; opening it looks at that part.

import type { Preset, Range } from "./range";
import type { Scope } from "./search";

const lengths: Readonly<Record<Exclude<Preset, "all">, number>> = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
};

export function isDay(text: unknown): text is string {
  return typeof text === "string" && /^\d{4}-\d\d-\d\d$/u.test(text) && !Number.isNaN(Date.parse(text));
}

/** The scope narrowed to a day: its range and the day must both hold. */
export function resolveDay(scope: Scope, day: string | undefined, now: number = Date.now()): Scope {
  if (day === undefined) {
    return scope;
  }
  const start = Date.parse(`${day}T00:00:00Z`);
  const end = start + 86_400_000;
  const [from, to] = ends(scope.range, now);
  const range: Range = {
    kind: "exact",
    from: from === undefined || from <= start ? new Date(start).toISOString() : exactEnd(scope.range, "from", from),
    to: to === undefined || to >= end ? new Date(end).toISOString() : exactEnd(scope.range, "to", to),
  };
  return Date.parse(range.from) < Date.parse(range.to) ? { ...scope, range } : scope;
}

function ends(range: Range, now: number): readonly [number | undefined, number | undefined] {
  if (range.kind === "exact") {
    return [Date.parse(range.from), Date.parse(range.to)];
  }
  return range.last === "all" ? [undefined, undefined] : [now - lengths[range.last], undefined];
}

/** Keeps the microseconds of an exact range. */
function exactEnd(range: Range, end: "from" | "to", moment: number): string {
  return range.kind === "exact" ? range[end] : new Date(moment).toISOString();
}
