// Addresses of what the hub gives as files.

import { resolveDay } from "../filters/day";
import { type Scope, scopeParameters } from "../filters/search";
import type { paths } from "./schema.gen";

/** Only addresses that the API has. */
type Address = keyof paths;

const sessionsAddress: Address = "/api/v1/sessions.csv";
const exchangesAddress: Address = "/api/v1/sessions/{session_id}/exchanges.csv";

export function sessionsDownload(scope: Scope): string {
  return `${sessionsAddress}?${asQuery(scope)}`;
}

export function exchangesDownload(id: string, scope: Scope, day: string | undefined): string {
  return `${exchangesAddress.replace("{session_id}", encodeURIComponent(id))}?${asQuery(resolveDay(scope, day))}`;
}

function asQuery(scope: Scope): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(scopeParameters(scope))) {
    for (const one of Array.isArray(value) ? value : [value]) {
      query.append(name, one);
    }
  }
  return query.toString();
}
