// The parameter list while it is edited. Plain values and functions; the hub has the last word on all of it.

import type { FieldProblem } from "../api/problem";
import type { ParameterInput, PolicyParameter } from "../api/types";

export type Kind = "none" | "user" | "role";

export interface Draft {
  /** Tells rows apart while their names change. */
  readonly key: number;
  readonly name: string;
  /** Text spelling, as typed. */
  readonly point: string;
  /** As the hub showed it; empty while the point is being changed. */
  readonly breadcrumb: readonly string[];
  readonly kind: Kind;
  readonly group: boolean;
  /** Undefined leaves it to the hub: yes where credentials stand. */
  readonly hashed: boolean | undefined;
  readonly namespace: string;
  /** Further points of a composite key, and where the parameter applies: kept as they are, not edited here. */
  readonly with: readonly string[];
  readonly scope: PolicyParameter["scope"];
}

export function toDrafts(parameters: readonly PolicyParameter[]): readonly Draft[] {
  return parameters.map((parameter, position) => ({
    key: position,
    name: parameter.name,
    point: parameter.point,
    breadcrumb: parameter.breadcrumb,
    kind: parameter.type,
    group: parameter.group,
    hashed: parameter.hashed,
    namespace: parameter.namespace ?? "",
    with: parameter.with,
    scope: parameter.scope,
  }));
}

export function blank(drafts: readonly Draft[]): Draft {
  const key = drafts.reduce((most, draft) => Math.max(most, draft.key), -1) + 1;
  return { key, name: "", point: "", breadcrumb: [], kind: "none", group: true, hashed: undefined, namespace: "", with: [], scope: {} };
}

/** What is sent. */
export function toInput(drafts: readonly Draft[]): ParameterInput[] {
  return drafts.map((draft) => ({
    name: draft.name.trim(),
    point: draft.point.trim(),
    type: draft.kind,
    group: draft.group,
    hashed: draft.hashed ?? null,
    namespace: draft.namespace.trim() === "" ? null : draft.namespace.trim(),
    with: [...draft.with],
    scope: draft.scope,
  }));
}

export function move(drafts: readonly Draft[], from: number, by: -1 | 1): readonly Draft[] {
  const to = from + by;
  const moved = drafts[from];
  if (moved === undefined || to < 0 || to >= drafts.length) {
    return drafts;
  }
  return drafts.toSpliced(from, 1).toSpliced(to, 0, moved);
}

export function replace(drafts: readonly Draft[], key: number, change: Partial<Draft>): readonly Draft[] {
  return drafts.map((draft) => (draft.key === key ? { ...draft, ...change } : draft));
}

export function isChanged(drafts: readonly Draft[], saved: readonly Draft[]): boolean {
  return JSON.stringify(toInput(drafts)) !== JSON.stringify(toInput(saved));
}

export interface RowErrors {
  readonly name?: string;
  readonly point?: string;
  readonly type?: string;
  readonly group?: string;
  readonly hashed?: string;
  readonly namespace?: string;
  /** About the row as a whole. */
  readonly row?: string;
}

const fieldOfRow = /^parameters\[(\d+)\](?:\.([a-z_]+))?/u;

/** Which row and field each complaint of the hub is about; what is about none stays. */
export function sortErrors(errors: readonly FieldProblem[]): {
  readonly rows: ReadonlyMap<number, RowErrors>;
  readonly rest: readonly FieldProblem[];
} {
  const rows = new Map<number, RowErrors>();
  const rest: FieldProblem[] = [];
  for (const error of errors) {
    const match = fieldOfRow.exec(error.field);
    if (match === null) {
      rest.push(error);
      continue;
    }
    const position = Number(match[1]);
    const held = rows.get(position) ?? {};
    const field = match[2];
    switch (field) {
      case "name":
      case "point":
      case "type":
      case "group":
      case "hashed":
      case "namespace":
        rows.set(position, { ...held, [field]: error.reason });
        break;
      default:
        rows.set(position, { ...held, row: error.reason });
    }
  }
  return { rows, rest };
}
