// Who a session is, as a reader would say it: the user, else the key and its value, else address and client.

import type { SessionPart } from "../api/types";

export interface Identity {
  readonly kind: "user" | "key" | "client";
  readonly text: string;
  readonly hashed: boolean;
  /** The second line. */
  readonly detail: string;
  readonly detailHashed: boolean;
  readonly detailLabel: string;
}

export function identityOf(part: SessionPart): Identity {
  const fallback = part.key_kind === "fallback";
  const [address] = part.ips;
  const client = address?.value ?? "unknown address";
  if (part.user !== null && part.user !== undefined) {
    return {
      kind: "user",
      text: part.user,
      hashed: part.user_hashed,
      detail: fallback ? clientName(part.user_agent) : part.key_value,
      detailHashed: !fallback && part.key_value_hashed,
      detailLabel: fallback ? "" : part.key,
    };
  }
  if (!fallback) {
    return {
      kind: "key",
      text: part.key_value,
      hashed: part.key_value_hashed,
      detail: part.key,
      detailHashed: false,
      detailLabel: "",
    };
  }
  return {
    kind: "client",
    text: client,
    hashed: false,
    detail: clientName(part.user_agent),
    detailHashed: false,
    detailLabel: "",
  };
}

const products: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//u, "Edge"],
  [/\bOPR\//u, "Opera"],
  [/\bFirefox\//u, "Firefox"],
  [/\bChrome\//u, "Chrome"],
  [/\bVersion\/[\d.]+.*Safari\//u, "Safari"],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/u, "iOS"],
  [/Android/u, "Android"],
  [/Windows/u, "Windows"],
  [/Mac OS X|Macintosh/u, "macOS"],
  [/Linux/u, "Linux"],
];

/** A user agent in a few words: the browser and system where it is one, else its first product. */
export function clientName(userAgent: string | null | undefined): string {
  if (userAgent === null || userAgent === undefined || userAgent === "") {
    return "no user agent";
  }
  // Robots say who they are behind a browser's name: `Mozilla/5.0 (compatible; ExampleBot/2.1; …)`.
  const robot = /^Mozilla\/5\.0 (?:AppleWebKit\/.*)?\(compatible; ([^;)]+)/u.exec(userAgent)?.[1];
  if (robot !== undefined) {
    return robot;
  }
  const product = products.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (product !== undefined && userAgent.startsWith("Mozilla/")) {
    return system === undefined ? product : `${product} on ${system}`;
  }
  return userAgent.length > 48 ? `${userAgent.slice(0, 47)}…` : userAgent;
}

/** Milliseconds from the first to the last exchange. */
export function lengthOf(part: Pick<SessionPart, "first" | "last">): number {
  return Date.parse(part.last) - Date.parse(part.first);
}

/** One part of one session: what a row stands for. */
export function partKey(part: Pick<SessionPart, "session_id" | "day">): string {
  return `${part.session_id} ${part.day}`;
}

/** `GET api.shop.io /orders/{int}` without the host, for places that say it elsewhere. */
export function withoutHost(endpoint: string): string {
  const match = /^(\S+) [^\s/]* ?(\/.*)$/u.exec(endpoint);
  return match === null ? endpoint : `${match[1] ?? ""} ${match[2] ?? ""}`;
}
