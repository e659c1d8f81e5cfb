// Which key decided how many of the last day's exchanges. Names come from traffic and policy: Maps, not objects.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { decidedBy } from "../api/policy";
import type { FacetList } from "../api/types";

export interface Shares {
  /** By key, configured and built-in; undefined while unknown. */
  readonly shares: ReadonlyMap<string, number> | undefined;
  readonly fallbacks: ReadonlyMap<string, number>;
  /** All exchanges of the last day. */
  readonly whole: number;
}

export function useShares(): Shares {
  const configured = useQuery(decidedBy("configured")).data;
  const builtin = useQuery(decidedBy("builtin")).data;
  const fallback = useQuery(decidedBy("fallback")).data;
  return useMemo(() => {
    const keys = counts([configured, builtin]);
    const fallbacks = counts([fallback]);
    const whole = [...keys.values(), ...fallbacks.values()].reduce((sum, count) => sum + count, 0);
    return { shares: configured === undefined ? undefined : keys, fallbacks, whole };
  }, [configured, builtin, fallback]);
}

function counts(answers: readonly (FacetList | undefined)[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const answer of answers) {
    for (const { value, exchanges } of answer?.facets[0]?.values ?? []) {
      if (value !== null && value !== undefined) {
        found.set(value, (found.get(value) ?? 0) + exchanges);
      }
    }
  }
  return found;
}
