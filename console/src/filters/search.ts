// The address bar. Its parameters carry the API's names, so that a link can be read, and only known names are taken:
// whatever else an address holds never becomes an object key.

import { isDay } from "./day";
import { type FieldName, fieldNames } from "./fields";
import { defaultRange, isMoment, isPreset, type Range } from "./range";
import { asParameter, fromParameter, read, spell, type Token } from "./token";

/** Which exchanges count. */
export interface Scope {
  readonly range: Range;
  readonly tokens: readonly Token[];
  /** Free text. */
  readonly text: string;
}

/** Within an opened session: the list's filters, none at all, or filters of its own. */
export type Within =
  | { readonly kind: "list" }
  | { readonly kind: "all" }
  | { readonly kind: "own"; readonly tokens: readonly Token[]; readonly text: string };

export interface ConsoleSearch {
  readonly scope: Scope;
  readonly within: Within;
  /** Part of the session's time that is looked at. */
  readonly zoom: { readonly from: string; readonly to: string } | undefined;
  /** The UTC day of the session that is looked at; all days when undefined. */
  readonly day: string | undefined;
  /** The exchange that is open. */
  readonly exchange: string | undefined;
  /** Every thread on its own time scale instead of one for all rows. */
  readonly ownScale: boolean;
  /** The session fills the page although the list would fit beside it. */
  readonly full: boolean;
  /** Where to go after signing in. */
  readonly next: string | undefined;
}

export const emptyScope: Scope = { range: defaultRange, tokens: [], text: "" };

export const emptySearch: ConsoleSearch = {
  scope: emptyScope,
  within: { kind: "list" },
  zoom: undefined,
  day: undefined,
  exchange: undefined,
  ownScale: false,
  full: false,
  next: undefined,
};

const longest = 2048;

export function parseSearch(text: string): ConsoleSearch {
  const parameters = new URLSearchParams(text);
  const one = (name: string): string | undefined => parameters.get(name)?.slice(0, longest);
  const tokens = fieldNames.flatMap((field) =>
    parameters
      .getAll(field)
      .map((value) => fromParameter(field, value.slice(0, longest)))
      .filter((token) => token.value !== ""),
  );
  return {
    scope: { range: parseRange(one("last"), one("from"), one("to")), tokens, text: one("q") ?? "" },
    within: parseWithin(parameters.getAll("within")),
    zoom: parseZoom(one("zoom")),
    day: isDay(one("day")) ? one("day") : undefined,
    exchange: one("exchange"),
    ownScale: one("scale") === "own",
    full: one("view") === "full",
    next: localPath(one("next")),
  };
}

export function stringifySearch(search: ConsoleSearch): string {
  const parameters = new URLSearchParams();
  const { range, tokens, text } = search.scope;
  if (range.kind === "exact") {
    parameters.set("from", range.from);
    parameters.set("to", range.to);
  } else if (range.last !== (defaultRange.kind === "last" ? defaultRange.last : undefined)) {
    parameters.set("last", range.last);
  }
  for (const token of tokens) {
    parameters.append(token.field, asParameter(token));
  }
  if (text !== "") {
    parameters.set("q", text);
  }
  if (search.within.kind === "all") {
    parameters.set("within", "all");
  } else if (search.within.kind === "own") {
    for (const token of search.within.tokens) {
      parameters.append("within", spell(token));
    }
    if (search.within.text !== "" || search.within.tokens.length === 0) {
      parameters.append("within", search.within.text);
    }
  }
  if (search.zoom !== undefined) {
    parameters.set("zoom", `${search.zoom.from}..${search.zoom.to}`);
  }
  if (search.day !== undefined) {
    parameters.set("day", search.day);
  }
  if (search.exchange !== undefined) {
    parameters.set("exchange", search.exchange);
  }
  if (search.ownScale) {
    parameters.set("scale", "own");
  }
  if (search.full) {
    parameters.set("view", "full");
  }
  if (search.next !== undefined) {
    parameters.set("next", search.next);
  }
  const written = parameters.toString();
  return written === "" ? "" : `?${written}`;
}

/** The scope as query parameters of the API. Repeated fields become arrays. */
export type ScopeParameters = Partial<Record<FieldName, string[]>> & {
  last?: string;
  from?: string;
  to?: string;
  q?: string;
};

export function scopeParameters(scope: Scope): ScopeParameters {
  const parameters: ScopeParameters =
    scope.range.kind === "last" ? { last: scope.range.last } : { from: scope.range.from, to: scope.range.to };
  for (const token of scope.tokens) {
    (parameters[token.field] ??= []).push(asParameter(token));
  }
  if (scope.text !== "") {
    parameters.q = scope.text;
  }
  return parameters;
}

/**
 * Session, user and role choose sessions in the list. Inside of one they would repeat themselves, or leave only the few
 * exchanges that carry the user, such as the login.
 */
export function choosesSessions({ field }: Token): boolean {
  return field === "session" || field === "user" || field === "role";
}

/** The filters that hold within an opened session. Its range is the zoom, else the list's. */
export function withinScope(search: ConsoleSearch): Scope {
  const range: Range =
    search.zoom === undefined
      ? search.within.kind === "all"
        ? { kind: "last", last: "all" }
        : search.scope.range
      : { kind: "exact", ...search.zoom };
  switch (search.within.kind) {
    case "list":
      return { range, tokens: search.scope.tokens.filter((token) => !choosesSessions(token)), text: search.scope.text };
    case "all":
      return { range, tokens: [], text: "" };
    case "own":
      return { range, tokens: search.within.tokens, text: search.within.text };
  }
}

function parseRange(last: string | undefined, from: string | undefined, to: string | undefined): Range {
  if (isMoment(from) && isMoment(to) && Date.parse(from) < Date.parse(to)) {
    return { kind: "exact", from, to };
  }
  return isPreset(last) ? { kind: "last", last } : defaultRange;
}

function parseWithin(values: readonly string[]): Within {
  if (values.length === 0) {
    return { kind: "list" };
  }
  if (values[0] === "all") {
    return { kind: "all" };
  }
  return { kind: "own", ...read(values.join(" ").slice(0, longest)) };
}

function parseZoom(text: string | undefined): ConsoleSearch["zoom"] {
  const [from, to] = text?.split("..") ?? [];
  return isMoment(from) && isMoment(to) && Date.parse(from) < Date.parse(to) ? { from, to } : undefined;
}

/** Only a path of this console: a link must not send anybody elsewhere after signing in. */
function localPath(text: string | undefined): string | undefined {
  return text !== undefined && /^\/(?![/\\])/u.test(text) ? text : undefined;
}
