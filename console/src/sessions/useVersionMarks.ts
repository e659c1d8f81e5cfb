// When the policy changed: what lies left and right of such a moment was grouped by different versions.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { policyVersions } from "../api/policy";
import type { Mark } from "../ui/Histogram";

/** More than this many of the newest versions are not marked. */
const marked = 100;

export function useVersionMarks(): readonly Mark[] {
  const { data } = useQuery(policyVersions(marked));
  return useMemo(
    () =>
      (data?.versions ?? []).map(({ version, saved_at: at, saved_by: by }) => ({
        at: Date.parse(at),
        label: `policy version ${version} by ${by}`,
      })),
    [data],
  );
}
