// What stands for a clear value. The value goes out in a body and is part of no question that is remembered.

import type { Scope } from "../filters/search";
import { api, body } from "./client";
import type { HashesOfValue } from "./types";

export function hashesOf(value: string): Promise<HashesOfValue> {
  return body(api.POST("/api/v1/hashes", { body: { value } }));
}

/** Values of one filter in a question: after many rotations there are more sessions to ask for. */
const askedAtOnce = 100;

/** Of some sessions those that are kept, in the order of the IDs. */
export async function keptSessions(ids: readonly string[]): Promise<readonly string[]> {
  const kept = new Set<string>();
  for (let start = 0; start < ids.length; start += askedAtOnce) {
    const session = ids.slice(start, start + askedAtOnce);
    // oxlint-disable-next-line no-await-in-loop -- nearly always one question
    const list = await body(api.GET("/api/v1/sessions", { params: { query: { session, last: "all", limit: 500, thread_bins: 0 } } }));
    for (const part of list.sessions) {
      kept.add(part.session_id);
    }
  }
  return ids.filter((id) => kept.has(id));
}

/** All that is kept: a value that was found is worth looking at wherever it is. */
export const everything: Scope["range"] = { kind: "last", last: "all" };
