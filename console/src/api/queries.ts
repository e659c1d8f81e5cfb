// Questions to the hub as TanStack Query options. Keys hold what was asked, so equal questions share an answer.

import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { resolveDay } from "../filters/day";
import type { FieldName } from "../filters/fields";
import { type Scope, scopeParameters } from "../filters/search";
import { api, body } from "./client";
import type { FacetName } from "./types";

/** Rows of the sessions list and exchanges per page. */
export const pageOfSessions = 50;
export const pageOfExchanges = 100;

/** Bins of a thread in a row, and of the large one. */
const binsInRow = 120;
const binsInSession = 720;

export const me = queryOptions({
  queryKey: ["me"],
  queryFn: () => body(api.GET("/api/v1/me")),
  staleTime: 60_000,
  retry: false,
});

export const firstRun = queryOptions({
  queryKey: ["first-run"],
  queryFn: () => body(api.GET("/api/v1/first-run")),
  retry: false,
});

export function sessions(scope: Scope) {
  return infiniteQueryOptions({
    queryKey: ["sessions", scope],
    queryFn: ({ pageParam }) =>
      body(
        api.GET("/api/v1/sessions", {
          params: {
            query: {
              ...scopeParameters(scope),
              limit: pageOfSessions,
              thread_bins: binsInRow,
              ...(pageParam === undefined ? {} : { page_token: pageParam }),
            },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_page_token ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function facets(scope: Scope, fields: readonly FieldName[], limit: number) {
  return queryOptions({
    queryKey: ["facets", scope, fields, limit],
    queryFn: () =>
      body(
        api.GET("/api/v1/facets", {
          params: { query: { ...scopeParameters(scope), field: [...fields] as FacetName[], limit } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function histogram(scope: Scope, bars: number) {
  return queryOptions({
    queryKey: ["histogram", scope, bars],
    queryFn: () => body(api.GET("/api/v1/histogram", { params: { query: { ...scopeParameters(scope), bars } } })),
    placeholderData: keepPreviousData,
  });
}

/** A session over the scope's range, or over that part of it that lies within one UTC day. */
export function session(id: string, scope: Scope, day: string | undefined, bins: number = binsInSession) {
  return queryOptions({
    queryKey: ["session", id, scope, day, bins],
    queryFn: () =>
      body(
        api.GET("/api/v1/sessions/{session_id}", {
          params: { path: { session_id: id }, query: { ...scopeParameters(resolveDay(scope, day)), thread_bins: bins } },
        }),
      ),
    placeholderData: (previous) => (previous?.session_id === id ? previous : undefined),
  });
}

export function exchanges(id: string, scope: Scope, day: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ["exchanges", id, scope, day],
    queryFn: ({ pageParam }) =>
      body(
        api.GET("/api/v1/sessions/{session_id}/exchanges", {
          params: {
            path: { session_id: id },
            query: {
              // A page token belongs to one exact question: later pages repeat the range of the first.
              ...scopeParameters(pageParam === undefined ? resolveDay(scope, day) : { ...scope, range: pageParam.range }),
              limit: pageOfExchanges,
              ...(pageParam === undefined ? {} : { page_token: pageParam.token }),
            },
          },
        }),
      ),
    initialPageParam: undefined as { token: string; range: Scope["range"] } | undefined,
    getNextPageParam: (last, _pages, asked) =>
      last.next_page_token === null || last.next_page_token === undefined
        ? undefined
        : { token: last.next_page_token, range: asked?.range ?? resolveDay(scope, day).range },
    placeholderData: (previous) => (previous?.pages[0]?.exchanges[0]?.session_id === id ? previous : undefined),
  });
}

/** The first exchange of a session at or after a moment: what a click into the thread means. */
export async function exchangeAt(id: string, scope: Scope, from: string, to: string): Promise<string | undefined> {
  const answer = await body(
    api.GET("/api/v1/sessions/{session_id}/exchanges", {
      params: {
        path: { session_id: id },
        query: { ...scopeParameters({ ...scope, range: { kind: "exact", from, to } }), limit: 1 },
      },
    }),
  );
  return answer.exchanges[0]?.exchange_id;
}

/** The first error of a session after a moment. */
export async function errorAfter(id: string, scope: Scope, after: string, to: string): Promise<string | undefined> {
  const errors: Scope = {
    range: { kind: "exact", from: after, to },
    tokens: [
      ...scope.tokens.filter((token) => token.field !== "status"),
      { field: "status", value: "4xx", negated: false },
      { field: "status", value: "5xx", negated: false },
    ],
    text: scope.text,
  };
  const answer = await body(
    api.GET("/api/v1/sessions/{session_id}/exchanges", {
      params: { path: { session_id: id }, query: { ...scopeParameters(errors), limit: 2 } },
    }),
  );
  // The range includes its first moment, where the last loaded exchange may itself be an error.
  return answer.exchanges.find((found) => found.ts !== after)?.exchange_id;
}

export function exchange(id: string) {
  return queryOptions({
    queryKey: ["exchange", id],
    queryFn: () => body(api.GET("/api/v1/exchanges/{exchange_id}", { params: { path: { exchange_id: id } } })),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const status = queryOptions({
  queryKey: ["status"],
  queryFn: () => body(api.GET("/api/v1/status")),
  refetchInterval: 5000,
});

export const tokens = queryOptions({ queryKey: ["tokens"], queryFn: () => body(api.GET("/api/v1/tokens")) });

export const people = queryOptions({ queryKey: ["people"], queryFn: () => body(api.GET("/api/v1/people")) });

export const audit = infiniteQueryOptions({
  queryKey: ["audit"],
  queryFn: ({ pageParam }) =>
    body(
      api.GET("/api/v1/audit", {
        params: { query: { limit: 100, ...(pageParam === undefined ? {} : { page_token: pageParam }) } },
      }),
    ),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last) => last.next_page_token ?? undefined,
});

/** The document that describes the API. Read as it stands: it is shown, not used. */
export const openapi = queryOptions({
  queryKey: ["openapi"],
  queryFn: (): Promise<unknown> => body(api.GET("/api/v1/openapi.json")),
  staleTime: Number.POSITIVE_INFINITY,
});
