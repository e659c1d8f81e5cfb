// The hub's words for what happened, as sentences.

import type { Exchange } from "../api/types";

export interface Told {
  readonly words: string;
  readonly mark: "decided" | "passed" | "trouble" | "skipped";
}

const told: readonly (readonly [string, Told])[] = [
  ["decided", { words: "worked, so it decided the session", mark: "decided" }],
  ["absent", { words: "nothing there", mark: "passed" }],
  ["empty", { words: "there, but empty", mark: "passed" }],
  ["masked", { words: "masked before anything looked at it", mark: "passed" }],
  ["too_long", { words: "longer than the 8 KiB a key may have", mark: "passed" }],
  ["not_scalar", { words: "an object or a list, not a single value", mark: "passed" }],
  ["out_of_scope", { words: "does not apply to this host or path", mark: "skipped" }],
  ["unparsable", { words: "the message part it stands in could not be parsed", mark: "trouble" }],
  ["not_captured", { words: "the message part it stands in was not captured", mark: "trouble" }],
  ["not_tried", { words: "not tried: a key before it had decided", mark: "skipped" }],
];

/** What became of one key; null where a later version of Threadline wrote what this hub cannot read. */
export function keyOutcome(outcome: string | null): Told {
  if (outcome === null) {
    return { words: "what became of it was written by a later version of Threadline", mark: "skipped" };
  }
  return told.find(([name]) => name === outcome)?.[1] ?? { words: outcome.replaceAll("_", " "), mark: "passed" };
}

const outcomes: readonly (readonly [string, string])[] = [
  ["completed", "completed"],
  ["client_aborted", "the client went away"],
  ["upstream_failed", "the upstream failed"],
  ["refused", "refused by the proxy"],
  ["upgraded", "upgraded to another protocol"],
];

/** How an exchange ended. */
export function ending(outcome: string): string {
  return outcomes.find(([name]) => name === outcome)?.[1] ?? outcome.replaceAll("_", " ");
}

const origins: readonly (readonly [string, string])[] = [
  ["issued", "issued by this API: seen in one of its responses"],
  ["client_chosen", "chosen by the client: nothing shows that this API issued it"],
];

/** Where the deciding value came from; undefined when nobody judged. */
export function origin(value: string): string | undefined {
  return origins.find(([name]) => name === value)?.[1];
}

/** Which colour and shape a status has. */
export function statusKind(exchange: Pick<Exchange, "status" | "outcome">): "ok" | "redirect" | "client" | "server" | "none" {
  const { status } = exchange;
  if (exchange.outcome === "upstream_failed") {
    return "server";
  }
  if (status === null || status === undefined) {
    return "none";
  }
  return status >= 500 ? "server" : status >= 400 ? "client" : status >= 300 ? "redirect" : "ok";
}

/** Whether `e` stops here. */
export function isError(exchange: Pick<Exchange, "status" | "outcome">): boolean {
  return ["client", "server"].includes(statusKind(exchange));
}
