// Purges and the record of them. What is to leave goes out in a body and is part of no question that is remembered.

import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, body } from "./client";
import { ApiProblem } from "./problem";
import type { Purge, PurgeCounts, PurgeKind } from "./types";

/** The record, asked for again while something is running. */
export const purges = infiniteQueryOptions({
  queryKey: ["purges"],
  queryFn: ({ pageParam }) =>
    body(
      api.GET("/api/v1/purges", {
        params: { query: { limit: 50, ...(pageParam === undefined ? {} : { page_token: pageParam }) } },
      }),
    ),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next_page_token ?? undefined,
  refetchInterval: ({ state }) =>
    state.data?.pages.some((page) => page.purges.some((purge) => purge.state === "running")) === true ? 1000 : false,
});

/** What would leave. Nothing is changed. */
export async function previewPurge(kind: PurgeKind, value: string): Promise<PurgeCounts> {
  const answer = await body(api.POST("/api/v1/purges", { body: { kind, value, dry_run: true } }));
  return "id" in answer ? answer.counts : answer;
}

/** Begins a purge; it goes on by itself. */
export async function beginPurge(kind: PurgeKind, value: string, reason: string): Promise<Purge> {
  const answer = await body(api.POST("/api/v1/purges", { body: { kind, value, reason, dry_run: false } }));
  if ("id" in answer) {
    return answer;
  }
  throw new ApiProblem(200, "The hub only looked", "It answered as if it had been asked what would leave. Nothing was purged.");
}
