// What a session offers to the page of purges. It stands in memory until that page has taken it: a user must not come into
// an address, which browsers and logs remember.

import type { PurgeKind } from "../api/types";

/** Values to begin with, by what they are. */
export type OfferedPurge = Readonly<Partial<Record<PurgeKind, string>>>;

let offered: OfferedPurge = {};

export function offerPurge(values: OfferedPurge): void {
  offered = values;
}

export function offeredPurge(): OfferedPurge {
  return offered;
}
