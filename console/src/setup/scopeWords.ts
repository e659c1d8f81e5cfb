import type { ScopeDraft } from "./draft";

/** Where something applies, for a row: `application shop, path /api or /v2`; empty for everywhere. */
export function scopeWords(scope: ScopeDraft): string {
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["application", scope.applications],
    ["host", scope.hosts],
    ["path", scope.paths],
    ["method", scope.methods],
  ];
  return lists
    .filter(([, entries]) => entries.length > 0)
    .map(([word, entries]) => `${word} ${entries.join(" or ")}`)
    .join(", ");
}
