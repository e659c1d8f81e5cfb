// What a draft makes of traffic beside the version that holds: rows that line up, and differences in words. Pure. Names
// of keys come from people and rules: they are compared, never used as names of properties.

import type { components } from "../../api/schema.gen";
import { exactly, plural } from "../../ui/format";

type Schemas = components["schemas"];

export type Policy = Schemas["PolicyDocument"];
export type Tried = Schemas["PolicyTried"];
export type Figures = Schemas["TriedFigures"];
export type Spread = Schemas["TriedSpread"];
export type Example = Schemas["TriedExchange"];
export type Warning = Schemas["TriedWarning"];
export type Stored = Schemas["TriedStored"];
export type Outcome = Schemas["TriedOutcome"];

/** What a rule decides; of the sample with its sessions, of what is stored without. */
export interface Ruled {
  readonly kind: string;
  readonly key: string;
  readonly exchanges: number;
  readonly share: number;
  readonly sessions?: number;
  readonly outcomes?: readonly Outcome[];
}

export interface Decided {
  /** Place among the keys, from 1; undefined where there is no order. */
  readonly place: number | undefined;
  readonly exchanges: number;
  /** 0 to 1. */
  readonly share: number;
  readonly sessions: number | undefined;
  readonly outcomes: readonly Outcome[];
}

export interface RuleRow {
  readonly kind: string;
  /** Undefined: all rules of the kind together. */
  readonly key: string | undefined;
  /** One of the rules that the row before sums up. */
  readonly part: boolean;
  /** Undefined: the policy has no such key, or what it decides cannot be told. */
  readonly current: Decided | undefined;
  readonly draft: Decided | undefined;
}

const summed = ["builtin", "fallback"] as const;

/** The draft's keys in their order, then keys that only the other has, then the built-in set and fallbacks, summed up and
 *  one by one. Without a draft its side is empty. */
export function lineUp(current: readonly Ruled[], draft: readonly Ruled[] | undefined): readonly RuleRow[] {
  const rows: RuleRow[] = [];
  const pair = (kind: string, key: string, part: boolean): RuleRow => ({
    kind,
    key,
    part,
    current: one(current, kind, key),
    draft: draft === undefined ? undefined : one(draft, kind, key),
  });
  for (const key of names("configured", draft ?? [], current)) {
    rows.push(pair("configured", key, false));
  }
  for (const kind of summed) {
    rows.push({
      kind,
      key: undefined,
      part: false,
      current: sum(current, kind),
      draft: draft === undefined ? undefined : sum(draft, kind),
    });
    for (const key of names(kind, current, draft ?? [])) {
      rows.push(absentAsNone(pair(kind, key, true), draft !== undefined));
    }
  }
  for (const key of names("unknown", draft ?? [])) {
    rows.push({ ...pair("unknown", key, false), key: undefined });
  }
  return rows;
}

/** A built-in rule that is not listed decides nothing; a key that is not listed is not there. */
function absentAsNone(row: RuleRow, both: boolean): RuleRow {
  const none: Decided = { place: undefined, exchanges: 0, share: 0, sessions: undefined, outcomes: [] };
  return { ...row, current: row.current ?? none, draft: row.draft ?? (both ? none : undefined) };
}

function names(kind: string, ...lists: readonly (readonly Ruled[])[]): readonly string[] {
  return [...new Set(lists.flatMap((list) => list.filter((rule) => rule.kind === kind).map(({ key }) => key)))];
}

function one(list: readonly Ruled[], kind: string, key: string): Decided | undefined {
  const same = list.filter((rule) => rule.kind === kind);
  const at = same.findIndex((rule) => rule.key === key);
  const found = same[at];
  return found === undefined
    ? undefined
    : {
        place: kind === "configured" ? at + 1 : undefined,
        exchanges: found.exchanges,
        share: found.share,
        sessions: found.sessions,
        outcomes: found.outcomes ?? [],
      };
}

/** Sessions are left out: rules of a kind may share some. */
function sum(list: readonly Ruled[], kind: string): Decided {
  const same = list.filter((rule) => rule.kind === kind);
  return {
    place: undefined,
    exchanges: same.reduce((total, rule) => total + rule.exchanges, 0),
    share: same.reduce((total, rule) => total + rule.share, 0),
    sessions: undefined,
    outcomes: [],
  };
}

export interface Change {
  readonly way: "more" | "fewer" | "same" | "other";
  readonly words: string;
}

const same: Change = { way: "same", words: "same" };

export function changeOfCount(current: number, draft: number): Change {
  if (current === draft) {
    return same;
  }
  const way = draft > current ? "more" : "fewer";
  return { way, words: `${exactly(Math.abs(draft - current))} ${way}` };
}

/** In hundredths of the whole, which two samples of different size have in common. */
export function changeOfShare(current: Decided | undefined, draft: Decided | undefined): Change {
  if (current === undefined || draft === undefined) {
    return { way: "other", words: draft === undefined ? (current === undefined ? "" : "no longer a key") : "a new key" };
  }
  if (current.share === draft.share) {
    return same;
  }
  const way = draft.share > current.share ? "more" : "fewer";
  const points = Math.round(Math.abs(draft.share - current.share) * 100);
  return { way, words: points === 0 ? `under 1 point ${way}` : `${points === 1 ? "1 point" : `${points} points`} ${way}` };
}

export function changeOfSpread(current: Spread, draft: Spread): Change {
  const parts = [
    { name: "median", by: draft.median - current.median },
    { name: "most", by: draft.most - current.most },
  ].filter(({ by }) => by !== 0);
  if (parts.length === 0) {
    return same;
  }
  const word = (by: number): "more" | "fewer" => (by > 0 ? "more" : "fewer");
  const [first, ...others] = parts.map(({ by }) => word(by));
  if (first !== undefined && others.every((other) => other === first)) {
    return { way: first, words: `${parts.map(({ name, by }) => `${name} ${halves(Math.abs(by))}`).join(", ")} ${first}` };
  }
  return { way: "other", words: parts.map(({ name, by }) => `${name} ${halves(Math.abs(by))} ${word(by)}`).join(", ") };
}

/** A median of whole numbers: they lie at halves. */
export function halves(value: number): string {
  return Number.isInteger(value) ? exactly(value) : value.toFixed(1);
}

/** What came of it, in a sentence. */
export interface Verdict {
  readonly kind: "nothing" | "same" | "same_sessions" | "changed";
  readonly words: string;
}

export function verdictOf({ against, sample, current, draft, changes }: Tried): Verdict {
  const version = `version ${against}`;
  if (sample.exchanges === 0) {
    return { kind: "nothing", words: "There was no exchange to try the draft on." };
  }
  const { compared, changed, newly_analysed: newly, no_longer_analysed: noLonger } = changes;
  if (changed === 0 && newly === 0 && noLonger === 0) {
    if (compared === 0) {
      return { kind: "same", words: `Neither the draft nor ${version} analyses any of these ${plural(sample.exchanges, "exchange")}.` };
    }
    const these = compared === 1 ? "this 1 exchange" : `these ${exactly(compared)} exchanges`;
    return decideTheSame(current.rules, draft.rules)
      ? { kind: "same", words: `The draft groups ${these} exactly as ${version} does.` }
      : { kind: "same_sessions", words: `The draft puts ${these} in the same sessions as ${version} does, but other keys decide.` };
  }
  const sentences: string[] = [];
  if (compared > 0) {
    sentences.push(
      changed === 0
        ? `None of ${plural(compared, "exchange")} changes session.`
        : `${exactly(changed)} of ${plural(compared, "exchange")} ${changed === 1 ? "changes" : "change"} session.`,
    );
  }
  if (newly > 0) {
    sentences.push(`${plural(newly, "exchange")} ${newly === 1 ? "is" : "are"} analysed by the draft only.`);
  }
  if (noLonger > 0) {
    sentences.push(`${plural(noLonger, "exchange")} ${noLonger === 1 ? "is" : "are"} no longer analysed.`);
  }
  sentences.push(
    current.sessions === draft.sessions
      ? `There are ${plural(draft.sessions, "session")}, as before.`
      : `${plural(current.sessions, "session")} ${current.sessions === 1 ? "becomes" : "become"} ${exactly(draft.sessions)}.`,
  );
  return { kind: "changed", words: sentences.join(" ") };
}

function decideTheSame(current: readonly Ruled[], draft: readonly Ruled[]): boolean {
  const decided = (rules: readonly Ruled[]): readonly string[] =>
    rules
      .filter(({ exchanges }) => exchanges > 0)
      .map(({ kind, key, exchanges }) => JSON.stringify([kind, key, exchanges]))
      .toSorted();
  return JSON.stringify(decided(current)) === JSON.stringify(decided(draft));
}

export interface Worry {
  readonly key: string;
  readonly kind: string;
  readonly where: "draft" | "both" | "current";
  /** Of the draft, where it has the worry. */
  readonly reason: string;
  /** Of the version that holds, where both have the worry and say it differently. */
  readonly before: string | undefined;
}

const order: readonly Worry["where"][] = ["draft", "both", "current"];

/** Each worry once: what the draft brings first, then what stays, then what it settles. */
export function worries(warnings: readonly Warning[]): readonly Worry[] {
  const found: Worry[] = [];
  for (const { policy, key, kind, reason } of warnings) {
    const isDraft = policy === "draft";
    const at = found.findIndex((one) => one.key === key && one.kind === kind && one.where === (isDraft ? "current" : "draft"));
    const other = found[at];
    if (other === undefined) {
      found.push({ key, kind, where: isDraft ? "draft" : "current", reason, before: undefined });
    } else {
      const [now, before] = isDraft ? [reason, other.reason] : [other.reason, reason];
      found[at] = { key, kind, where: "both", reason: now, before: now === before ? undefined : before };
    }
  }
  return order.flatMap((where) => found.filter((one) => one.where === where));
}

/** The first few of many, so that each way from one rule to another shows before one shows again; in their order. */
export function mixed(examples: readonly Example[], most: number): readonly Example[] {
  const ways = new Map<string, Example[]>();
  for (const example of examples) {
    const { current, draft } = example;
    const way = JSON.stringify([current.kind, current.key, draft.kind, draft.key]);
    ways.set(way, [...(ways.get(way) ?? []), example]);
  }
  const taken = new Set<Example>();
  for (let turn = 0; taken.size < Math.min(most, examples.length); turn += 1) {
    for (const list of ways.values()) {
      const next = list[turn];
      if (next !== undefined && taken.size < most) {
        taken.add(next);
      }
    }
  }
  return examples.filter((example) => taken.has(example));
}

/** What a result was asked with. */
export interface Asked {
  /** The draft as text. */
  readonly draft: string;
  readonly against: number;
  /** Which traffic: `recent`, or the recording's own. */
  readonly source: string;
}

/** Why a result no longer says what it seems to; undefined while it does. */
export function outdated(asked: Asked, now: Asked): string | undefined {
  if (asked.draft !== now.draft) {
    return "The draft changed since: run it again.";
  }
  if (asked.against !== now.against) {
    return `Version ${now.against} holds since: run it again.`;
  }
  return asked.source === now.source ? undefined : "Other traffic was chosen since: run it again.";
}

/** A kind of rules, as a row names them. */
export function kindWords(kind: string): string {
  switch (kind) {
    case "builtin":
      return "Built-in set";
    case "fallback":
      return "Fallback";
    case "unknown":
      return "None of the keys";
    default:
      return kind;
  }
}
