// The points of a message: which of them say something of their own, which steps they show, which lie at a place.

import type { ListedPoint } from "./questions";
import { fromJson, keyOf, keysOf, type Step } from "./steps";

export interface SeenPoint {
  readonly listed: ListedPoint;
  readonly steps: readonly Step[];
}

/** The listed points without those that only say again, one step longer, what the point before them says. */
export function readPoints(points: readonly ListedPoint[]): readonly SeenPoint[] {
  const byKeys = new Map<string, ListedPoint>();
  const repeats = new Set<string>();
  const kept: SeenPoint[] = [];
  for (const listed of points) {
    const steps = fromJson(listed.point_json);
    const keys = keysOf(steps);
    byKeys.set(keys, listed);
    const before = byKeys.get(keysOf(steps.slice(0, -1)));
    const within = steps.some((_, length) => repeats.has(keysOf(steps.slice(0, length))));
    if (within || (before !== undefined && sayTheSame(before, listed))) {
      repeats.add(keys);
    } else {
      kept.push({ listed, steps });
    }
  }
  return kept;
}

function sayTheSame(one: ListedPoint, other: ListedPoint): boolean {
  const [a, b] = [one.selection, other.selection];
  const samePlace =
    a === null || b === null ? a === b : a.part === b.part && a.header === b.header && a.start === b.start && a.end === b.end;
  const [v, w] = [one.value, other.value];
  const sameValue =
    v === null || w === null ? v === w : v.bytes === w.bytes && v.content.text === w.content.text && v.content.base64 === w.content.base64;
  return samePlace && sameValue;
}

export interface SeenStep {
  readonly step: Step;
  /** A point that goes on with this step: it ends there, or is the first that lies below. */
  readonly point: SeenPoint;
  readonly ends: boolean;
  /** How many points lie at it or below. */
  readonly count: number;
}

/** The steps that points of the message take after these, in the order of the message. */
export function seenAfter(points: readonly SeenPoint[], before: readonly Step[]): readonly SeenStep[] {
  const wanted = before.map((step) => keyOf(step));
  const found = new Map<string, SeenStep>();
  for (const point of points) {
    const step = point.steps[wanted.length];
    if (step === undefined || !wanted.every((key, position) => key === keyOf(point.steps[position] ?? step))) {
      continue;
    }
    const key = keyOf(step);
    const held = found.get(key);
    const ends = point.steps.length === wanted.length + 1;
    if (held === undefined) {
      found.set(key, { step, point, ends, count: 1 });
    } else {
      found.set(key, { step, point: ends ? point : held.point, ends: held.ends || ends, count: held.count + 1 });
    }
  }
  return [...found.values()];
}

/** Points by what is typed: every word must stand in the spelling or in the value. */
export function filterPoints(points: readonly SeenPoint[], typed: string): readonly SeenPoint[] {
  const words = typed.toLowerCase().split(/\s+/u).filter((word) => word !== "");
  return points.filter(({ listed }) => {
    const text = `${listed.point} ${listed.value?.content.text ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
