// Chips whose value is a keyed hash, and what stands for a clear value in the filters. The hub made the hashes; here they
// are only put into chips.

import type { Token } from "./token";

/** What a clear value is: which filter its hashes belong to. */
export type Sought = { readonly kind: "user" } | { readonly kind: "role" } | { readonly kind: "parameter"; readonly name: string };

/** 32 lower-case hexadecimal digits: the form of every keyed hash. */
const hash = /^[0-9a-f]{32}$/u;

/**
 * The hash in a chip with the text before it, in fields whose values may be hashed. Going by the form alone: a clear
 * value of this form is shown shortened too, and whole on hover.
 */
export function hashIn({ field, value }: Token): { readonly before: string; readonly hash: string } | undefined {
  if (field !== "user" && field !== "role" && field !== "value" && field !== "parameter") {
    return undefined;
  }
  const digits = value.slice(-32);
  const before = value.slice(0, -32);
  const whole = field === "parameter" ? before.endsWith(":") : before === "";
  return whole && hash.test(digits) ? { before, hash: digits } : undefined;
}

/** The value of a `parameter` filter: a colon or a backslash of the name has a backslash before it. */
export function parameterValue(name: string, value: string): string {
  return `${name.replaceAll(/[\\:]/gu, (mark) => `\\${mark}`)}:${value}`;
}

/** The chips with those of the sought value in place of others that it would contradict. Several hashes are alternatives. */
export function withHashes(tokens: readonly Token[], sought: Sought, hashes: readonly string[]): readonly Token[] {
  const start = sought.kind === "parameter" ? parameterValue(sought.name, "") : "";
  const kept = tokens.filter((token) => token.field !== sought.kind || !token.value.startsWith(start));
  return [...kept, ...hashes.map((value): Token => ({ field: sought.kind, value: start + value, negated: false }))];
}
