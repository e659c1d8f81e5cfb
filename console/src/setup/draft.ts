// The policy while it is edited: every list with keys of its own, nothing left out. Plain values and functions; the hub
// has the last word on all of it.

import type { PolicyDocument, ScopeDocument } from "../api/types";
import { fromJson, spell } from "./point/steps";

export type Kind = "none" | "user" | "role";

/** Tells the rows of a list apart while what stands in them changes. */
interface Keyed {
  readonly key: number;
}

/** Where something applies; an empty list leaves its question open. */
export interface ScopeDraft {
  readonly applications: readonly string[];
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
  readonly methods: readonly string[];
}

export interface ParameterDraft extends Keyed {
  readonly name: string;
  /** Text spelling, as typed. */
  readonly point: string;
  /** Further points of a composite key. */
  readonly with: readonly string[];
  readonly kind: Kind;
  readonly group: boolean;
  /** Undefined leaves it to the hub: yes where credentials stand. */
  readonly hashed: boolean | undefined;
  readonly namespace: string;
  readonly scope: ScopeDraft;
}

export interface MaskDraft extends Keyed {
  readonly point: string;
  readonly scope: ScopeDraft;
}

export interface ApplicationDraft extends Keyed {
  readonly id: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly paths: readonly string[];
}

/** Whose word about the client counts. */
export interface TrustedDraft {
  /** Networks and addresses of proxies in front; none: nobody's word counts. */
  readonly networks: readonly string[];
  /** Headers in which the client's address is looked for, in order. */
  readonly address: readonly string[];
  /** Headers in which the original host is looked for, in order. */
  readonly host: readonly string[];
  readonly proxyProtocol: boolean;
}

export interface PolicyDraft {
  readonly applications: readonly ApplicationDraft[];
  readonly analysed: ScopeDraft;
  readonly trusted: TrustedDraft;
  readonly masks: readonly MaskDraft[];
  readonly parameters: readonly ParameterDraft[];
  /** Sections that this console does not edit, as they are. */
  readonly rest: Omit<PolicyDocument, "applications" | "analysed" | "trusted_proxies" | "masks" | "parameters">;
}

export const everywhere: ScopeDraft = { applications: [], hosts: [], paths: [], methods: [] };

export function isEverywhere(scope: ScopeDraft): boolean {
  return Object.values(scope).every((list: readonly string[]) => list.length === 0);
}

function toScope(scope: ScopeDocument | undefined): ScopeDraft {
  return { ...everywhere, ...scope };
}

function pointText(point: PolicyDocument["parameters"][number]["point"]): string {
  return typeof point === "string" ? point : spell(fromJson(point));
}

export function toDraft(document: PolicyDocument): PolicyDraft {
  const { applications, analysed, trusted_proxies: trusted, masks, parameters, ...rest } = document;
  return {
    applications: (applications ?? []).map((one, key) => ({
      key,
      id: one.id,
      name: one.name ?? "",
      hosts: one.hosts ?? [],
      paths: one.paths ?? [],
    })),
    analysed: toScope(analysed),
    trusted: {
      networks: trusted?.networks ?? [],
      address: trusted?.address ?? ["x-forwarded-for"],
      host: trusted?.host ?? [],
      proxyProtocol: trusted?.proxy_protocol ?? false,
    },
    masks: (masks ?? []).map((mask, key) => ({ key, point: pointText(mask.point), scope: toScope(mask.scope) })),
    parameters: parameters.map((one, key) => ({
      key,
      name: one.name,
      point: pointText(one.point),
      with: (one.with ?? []).map((point) => pointText(point)),
      kind: one.type ?? "none",
      group: one.group ?? false,
      hashed: one.hashed ?? undefined,
      namespace: one.namespace ?? "",
      scope: toScope(one.scope),
    })),
    rest,
  };
}

function fromScope(scope: ScopeDraft): { scope?: ScopeDocument } {
  return isEverywhere(scope) ? {} : { scope: scopeDocument(scope) };
}

function scopeDocument({ applications, hosts, paths, methods }: ScopeDraft): ScopeDocument {
  return {
    ...(applications.length === 0 ? {} : { applications: [...applications] }),
    ...(hosts.length === 0 ? {} : { hosts: [...hosts] }),
    ...(paths.length === 0 ? {} : { paths: [...paths] }),
    ...(methods.length === 0 ? {} : { methods: [...methods] }),
  };
}

function trustedDocument({ networks, address, host, proxyProtocol }: TrustedDraft): Pick<PolicyDocument, "trusted_proxies"> {
  return networks.length === 0
    ? {}
    : { trusted_proxies: { networks: [...networks], address: [...address], host: [...host], proxy_protocol: proxyProtocol } };
}

/** What is sent: as a person would write it, without what is left out. */
export function toDocument(draft: PolicyDraft): PolicyDocument {
  return {
    ...draft.rest,
    applications: draft.applications.map((one) => ({
      id: one.id.trim(),
      ...(one.name.trim() === "" ? {} : { name: one.name.trim() }),
      hosts: [...one.hosts],
      paths: [...one.paths],
    })),
    analysed: scopeDocument(draft.analysed),
    ...trustedDocument(draft.trusted),
    masks: draft.masks.map((mask) => ({ point: mask.point.trim(), ...fromScope(mask.scope) })),
    parameters: draft.parameters.map((one) => ({
      name: one.name.trim(),
      point: one.point.trim(),
      ...(one.with.length === 0 || !one.group ? {} : { with: one.with.map((point) => point.trim()) }),
      type: one.kind,
      group: one.group,
      ...(one.hashed === undefined ? {} : { hashed: one.hashed }),
      ...(one.namespace.trim() === "" || !one.group ? {} : { namespace: one.namespace.trim() }),
      ...fromScope(one.scope),
    })),
  };
}

export function isChanged(draft: PolicyDraft, from: PolicyDraft): boolean {
  return JSON.stringify(toDocument(draft)) !== JSON.stringify(toDocument(from));
}

function nextKey(list: readonly Keyed[]): number {
  return list.reduce((most, { key }) => Math.max(most, key), -1) + 1;
}

export function newParameter(list: readonly ParameterDraft[]): ParameterDraft {
  return { key: nextKey(list), name: "", point: "", with: [], kind: "none", group: true, hashed: undefined, namespace: "", scope: everywhere };
}

export function newMask(list: readonly MaskDraft[], point = ""): MaskDraft {
  return { key: nextKey(list), point, scope: everywhere };
}

export function newApplication(list: readonly ApplicationDraft[]): ApplicationDraft {
  return { key: nextKey(list), id: "", name: "", hosts: [], paths: [] };
}

/** The list with one row at another place. */
export function move<T>(list: readonly T[], from: number, to: number): readonly T[] {
  const moved = list[from];
  if (moved === undefined || to < 0 || to >= list.length) {
    return list;
  }
  return list.toSpliced(from, 1).toSpliced(to, 0, moved);
}

export function replace<T extends Keyed>(list: readonly T[], key: number, change: Partial<T>): readonly T[] {
  return list.map((row) => (row.key === key ? { ...row, ...change } : row));
}
