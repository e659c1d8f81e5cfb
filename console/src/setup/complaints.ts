// The hub's complaints about a policy, by the row and the field that they are about.

import type { FieldProblem } from "../api/problem";

/** What is said about the fields of one row, by what stands behind the row's own name: `point`, `scope.hosts[0]`; the
 * row as a whole is "". */
export type RowComplaints = ReadonlyMap<string, string>;

/** Complaints about the rows of a list: `parameters[2].point`. */
export function byRow(problems: readonly FieldProblem[], list: string): ReadonlyMap<number, RowComplaints> {
  const rows = new Map<number, Map<string, string>>();
  for (const { field, reason } of problems) {
    const match = /^(\w+)\[(\d+)\](?:\.(.+))?$/u.exec(field);
    if (match?.[1] !== list) {
      continue;
    }
    const position = Number(match[2]);
    const row = rows.get(position) ?? new Map<string, string>();
    rows.set(position, row);
    row.set(match[3] ?? "", reason);
  }
  return rows;
}

/** Complaints about a section that is no list, or about a list as a whole: what stands behind its name. */
export function bySection(problems: readonly FieldProblem[], section: string): RowComplaints {
  const found = new Map<string, string>();
  for (const { field, reason } of problems) {
    if (field === section) {
      found.set("", reason);
    } else if (field.startsWith(`${section}.`)) {
      found.set(field.slice(section.length + 1), reason);
    }
  }
  return found;
}

/** The first complaint about a field or about what lies in it: `scope.hosts` finds `scope.hosts[1]`. */
export function about(complaints: RowComplaints | undefined, field: string): string | undefined {
  for (const [at, reason] of complaints ?? []) {
    if (at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`)) {
      return reason;
    }
  }
  return undefined;
}

/** The first complaint that none of these fields shows. */
export function elsewhere(complaints: RowComplaints | undefined, shown: readonly string[]): string | undefined {
  for (const [at, reason] of complaints ?? []) {
    if (!shown.some((field) => at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`))) {
      return reason;
    }
  }
  return undefined;
}

/** The list that a complaint is about: `parameters`. */
export function sectionOf({ field }: FieldProblem): string {
  return /^\w+/u.exec(field)?.[0] ?? "";
}
