// The policy and its versions: read with their ETag, saved with If-Match.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { FieldName } from "../filters/fields";
import { type Range, rangeParameters } from "../filters/range";
import { emptyScope, type Scope } from "../filters/search";
import { api, body } from "./client";
import { ApiProblem } from "./problem";
import { facets } from "./queries";
import type { KeyReportList, PointCheck, PolicyAnswer, PolicyCheck, PolicyDocument, PolicyVersionChanges, PolicyVersionDetails, PolicyVersionList, ResolvedClientList } from "./types";

/** The policy that holds, with the tag that saving another needs. */
export interface TaggedPolicy {
  readonly answer: PolicyAnswer;
  readonly tag: string;
}

export const policy = queryOptions({
  queryKey: ["policy", "document"],
  queryFn: async (): Promise<TaggedPolicy> => tagged(await api.GET("/api/v1/policy")),
});

/** What somebody else saved since version `base`, beside the policy that is being edited. */
export function policySince(base: number) {
  return queryOptions({
    queryKey: ["policy", "since", base],
    queryFn: async (): Promise<TaggedPolicy> => tagged(await api.GET("/api/v1/policy")),
    staleTime: 0,
    gcTime: 0,
  });
}

/** Replaces the whole policy, if nobody else did since `tag`. */
export async function savePolicy(document: PolicyDocument, comment: string, tag: string): Promise<TaggedPolicy> {
  return tagged(
    await api.PUT("/api/v1/policy", {
      params: { header: { "If-Match": tag } },
      body: { policy: document, comment: comment.trim() === "" ? null : comment.trim() },
    }),
  );
}

/** What the hub says about a policy before it is saved: errors, warnings, what it would change in version `against`. */
export function checkPolicy(document: PolicyDocument, against: number) {
  return queryOptions({
    queryKey: ["policy", "check", against, document],
    queryFn: (): Promise<PolicyCheck> => body(api.POST("/api/v1/policy/check", { body: { policy: document } })),
    gcTime: 60_000,
  });
}

/** Saved versions, newest first. */
export function policyVersions(limit: number) {
  return queryOptions({
    queryKey: ["policy", "versions", limit],
    queryFn: (): Promise<PolicyVersionList> => body(api.GET("/api/v1/policy/versions", { params: { query: { limit } } })),
  });
}

/** Who the last requests were taken to come from. */
export const resolvedClients = queryOptions({
  queryKey: ["policy", "clients"],
  queryFn: (): Promise<ResolvedClientList> => body(api.GET("/api/v1/policy/clients")),
  refetchInterval: 2_000,
});

/** The whole history, newest first, page by page. */
export const policyHistory = infiniteQueryOptions({
  queryKey: ["policy", "versions", "pages"],
  queryFn: ({ pageParam }): Promise<PolicyVersionList> =>
    body(api.GET("/api/v1/policy/versions", { params: { query: { limit: 50, ...(pageParam === "" ? {} : { page_token: pageParam }) } } })),
  initialPageParam: "",
  getNextPageParam: (page) => page.next_page_token ?? undefined,
});

/** One saved version with its whole policy. */
export function policyVersion(version: number): Promise<PolicyVersionDetails> {
  return body(api.GET("/api/v1/policy/versions/{version}", { params: { path: { version } } }));
}

/** What has to be done to version `since` to get another. */
export function policyChanges(version: number, since: number) {
  return queryOptions({
    queryKey: ["policy", "changes", version, since],
    queryFn: (): Promise<PolicyVersionChanges> =>
      body(api.GET("/api/v1/policy/versions/{version}/changes", { params: { path: { version }, query: { since } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function checkPoint(point: string) {
  return queryOptions({
    queryKey: ["policy", "point", point],
    queryFn: (): Promise<PointCheck> => body(api.POST("/api/v1/policy/points/check", { body: { point } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Bars of a key's share over time. */
const barsOfKeys = 64;

/** How every rule that decides sessions did. */
export function keyHealth(range: Range) {
  return queryOptions({
    queryKey: ["policy", "keys", range],
    queryFn: (): Promise<KeyReportList> =>
      body(api.GET("/api/v1/policy/keys", { params: { query: { ...rangeParameters(range), bars: barsOfKeys } } })),
    placeholderData: keepPreviousData,
  });
}

/** How many exchanges of the last day belong to each application. */
export function exchangesByApplication() {
  const fields: readonly FieldName[] = ["application"];
  return facets(emptyScope, fields, 100);
}

/** How many exchanges of the last day each key of a kind decided. */
export function decidedBy(kind: "configured" | "builtin" | "fallback") {
  const keys: readonly FieldName[] = ["key"];
  const scope: Scope = { ...emptyScope, tokens: [{ field: "key_kind", value: kind, negated: false }] };
  return facets(scope, keys, 100);
}

function tagged({ data, response }: { data?: PolicyAnswer; response: Response }): TaggedPolicy {
  const tag = response.headers.get("etag");
  if (data === undefined || tag === null) {
    throw new ApiProblem(response.status, "The hub's answer was incomplete", "The policy came without its version.");
  }
  return { answer: data, tag };
}
