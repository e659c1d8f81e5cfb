// What stands for a clear value. The value goes out in a body and is part of no question that is remembered.

import type { Scope } from "../filters/search";
import { api, body } from "./client";
import type { HashesOfValue } from "./types";

export function hashesOf(value: string): Promise<HashesOfValue> {
  return body(api.POST("/api/v1/hashes", { body: { value } }));
}

/** Of some sessions those that are kept, newest first. */
export async function keptSessions(ids: readonly string[]): Promise<readonly string[]> {
  const list = await body(
    api.GET("/api/v1/sessions", { params: { query: { session: [...ids], last: "all", limit: 500, thread_bins: 0 } } }),
  );
  return [...new Set(list.sessions.map((part) => part.session_id))];
}

/** All that is kept: a value that was found is worth looking at wherever it is. */
export const everything: Scope["range"] = { kind: "last", last: "all" };
