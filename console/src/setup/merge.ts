// Two people changed the same policy: what one changed and the other left alone is taken from the one who changed it.

import type { PolicyDocument } from "../api/types";

export interface Merged {
  readonly document: PolicyDocument;
  /** What both changed differently: mine is kept. */
  readonly both: readonly string[];
}

/** Brings what they changed since `base` into mine. All three with defaults written out, as the hub does. */
export function merge(base: PolicyDocument, mine: PolicyDocument, theirs: PolicyDocument): Merged {
  const both: string[] = [];
  const lists = {
    applications: mergeList(base.applications, mine.applications, theirs.applications, ({ id }) => id, "application", both),
    masks: mergeList(base.masks, mine.masks, theirs.masks, (mask) => JSON.stringify([mask.point, mask.scope]), "mask", both),
    parameters: mergeList(base.parameters, mine.parameters, theirs.parameters, ({ name }) => name, "parameter", both),
  };
  const settings: Record<string, unknown> = {};
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)].filter((name) => !(name in lists)));
  for (const name of names) {
    const of = (document: PolicyDocument): unknown => new Map<string, unknown>(Object.entries(document)).get(name);
    const chosen = choose(of(base), of(mine), of(theirs), () => both.push(name.replaceAll("_", " ")));
    if (chosen !== undefined) {
      settings[name] = chosen;
    }
  }
  return { document: { ...settings, ...lists }, both };
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function choose<T>(base: T, mine: T, theirs: T, clash: () => void): T {
  if (same(mine, base)) {
    return theirs;
  }
  if (!same(theirs, base) && !same(mine, theirs)) {
    clash();
  }
  return mine;
}

function mergeList<T>(
  base: readonly T[] = [],
  mine: readonly T[] = [],
  theirs: readonly T[] = [],
  identity: (one: T) => string,
  what: string,
  both: string[],
): T[] {
  const [inBase, inMine, inTheirs] = [base, mine, theirs].map((list) => new Map(list.map((one) => [identity(one), one] as const)));
  const order = (list: readonly T[]): string[] => list.map((one) => identity(one));
  const common = (list: readonly T[], other: ReadonlyMap<string, T> | undefined): string[] =>
    order(list).filter((id) => inBase?.has(id) === true && other?.has(id) === true);
  const iMoved = !same(common(mine, inMine), common(base, inMine));
  const theyMoved = !same(common(theirs, inTheirs), common(base, inTheirs));
  if (iMoved && theyMoved && !same(common(mine, inTheirs), common(theirs, inMine))) {
    both.push(`the order of the ${what}s`);
  }
  const [first, second] = iMoved ? [mine, theirs] : [theirs, mine];
  return interleave(order(first), order(second)).flatMap((id) => {
    const name = what === "mask" ? "a mask" : `${what} “${id}”`;
    const one = choose(inBase?.get(id), inMine?.get(id), inTheirs?.get(id), () => both.push(name));
    return one === undefined ? [] : [one];
  });
}

/** All of the first in its order; what only the second has stands behind what it follows there. */
function interleave(first: readonly string[], second: readonly string[]): string[] {
  const ids = [...first];
  second.forEach((id, position) => {
    if (!ids.includes(id)) {
      const before = second.slice(0, position).findLast((one) => ids.includes(one));
      ids.splice(before === undefined ? 0 : ids.indexOf(before) + 1, 0, id);
    }
  });
  return ids;
}
