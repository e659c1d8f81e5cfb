// The policy and its versions: read with their ETag, saved with If-Match.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { FieldName } from "../filters/fields";
import { type Range, rangeParameters } from "../filters/range";
import { emptyScope, type Scope } from "../filters/search";
import { api, body } from "./client";
import { ApiProblem } from "./problem";
import { facets } from "./queries";
import type { KeyReportList, ParameterInput, PointCheck, PolicyParameters } from "./types";

/** The parameters with the tag that saving them needs. */
export interface TaggedParameters {
  readonly policy: PolicyParameters;
  readonly tag: string;
}

export const parameters = queryOptions({
  queryKey: ["policy", "parameters"],
  queryFn: async (): Promise<TaggedParameters> => tagged(await api.GET("/api/v1/policy/parameters")),
});

/** Replaces the whole list, if nobody else did since `tag`. */
export async function saveParameters(list: ParameterInput[], comment: string, tag: string): Promise<TaggedParameters> {
  return tagged(
    await api.PUT("/api/v1/policy/parameters", {
      params: { header: { "If-Match": tag } },
      body: { parameters: list, comment: comment.trim() === "" ? null : comment.trim() },
    }),
  );
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

/** How many exchanges of the last day each key of a kind decided. */
export function decidedBy(kind: "configured" | "builtin" | "fallback") {
  const keys: readonly FieldName[] = ["key"];
  const scope: Scope = { ...emptyScope, tokens: [{ field: "key_kind", value: kind, negated: false }] };
  return facets(scope, keys, 100);
}

function tagged({ data, response }: { data?: PolicyParameters; response: Response }): TaggedParameters {
  const tag = response.headers.get("etag");
  if (data === undefined || tag === null) {
    throw new ApiProblem(response.status, "The hub's answer was incomplete", "The list came without its version.");
  }
  return { policy: data, tag };
}
