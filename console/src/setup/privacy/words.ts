// Fields of the export ledger in groups and words. Names of parameters come from the policy: Maps, not objects.

import type { ExportedField, LeavingChange, LeavingField } from "./questions";

const groups = [
  ["place", "Who and where"],
  ["request", "Request line"],
  ["amounts", "Times and sizes"],
  ["parameters", "Parameters"],
  ["session", "Session"],
  ["analysis", "Analysis"],
] as const;

export interface Group {
  readonly key: string;
  readonly title: string;
  readonly fields: readonly LeavingField[];
}

/** In the order of the page; what leaves before what does not. A group that is not known yet stands last. */
export function inGroups(fields: readonly LeavingField[]): readonly Group[] {
  const known = new Set<string>(groups.map(([key]) => key));
  const others = [...new Set(fields.map(({ group }) => group))].filter((group) => !known.has(group));
  return [...groups, ...others.map((key) => [key, key] as const)]
    .map(([key, title]) => {
      const own = fields.filter(({ group }) => group === key);
      return { key, title, fields: [...own.filter(leaves), ...own.filter((field) => !leaves(field))] };
    })
    .filter((group) => group.fields.length > 0);
}

export function leaves({ form }: LeavingField): boolean {
  return form !== "not exported";
}

export interface FieldName {
  /** What stands before the name, in words of the hub. */
  readonly kind: string | undefined;
  readonly name: string;
}

/** `parameter user id` is the parameter `user id`. */
export function nameOf(field: string): FieldName {
  const parameter = "parameter ";
  return field.startsWith(parameter) ? { kind: "parameter", name: field.slice(parameter.length) } : { kind: undefined, name: field };
}

/** `clear` in a sentence. */
function inWords(form: string): string {
  return form.replace(/^clear/u, "in clear");
}

/** The change after the field's name. */
export function changeWords({ kind, from, to }: LeavingChange): string {
  switch (kind) {
    case "newly":
      return `newly leaves, ${inWords(to)}`;
    case "no_longer":
      return `no longer leaves; it left ${inWords(from)}`;
    case "point":
      return `is taken from ${to}, before from ${from}`;
    default:
      return `leaves ${inWords(to)}, before ${inWords(from)}`;
  }
}

export interface NodeLedger {
  /** Undefined: nodes beyond those that are told apart. */
  readonly node: string | undefined;
  readonly bytes: number;
  readonly fields: readonly ExportedField[];
}

/** By node, most bytes first, and so within a node. */
export function byNode(fields: readonly ExportedField[]): readonly NodeLedger[] {
  const nodes = new Map<string | undefined, ExportedField[]>();
  for (const field of fields) {
    const node = field.node ?? undefined;
    nodes.set(node, [...(nodes.get(node) ?? []), field]);
  }
  return [...nodes]
    .map(([node, own]) => ({ node, bytes: own.reduce((sum, { bytes }) => sum + bytes, 0), fields: own.toSorted((one, other) => other.bytes - one.bytes) }))
    .toSorted((one, other) => other.bytes - one.bytes);
}
