// What the hub says about a point, and about what may follow.

import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { checkPoint } from "../../api/policy";
import { asProblem } from "../../api/problem";
import type { PointCheck } from "../../api/types";
import { type Form, readForms, type Step, spell } from "./steps";

export interface Verdict {
  readonly spellings: PointCheck["spellings"] | undefined;
  /** What is wrong with what stands there now; undefined while that is not known. */
  readonly error: PointCheck["error"] | undefined;
  /** The question could not be asked. */
  readonly failed: string | undefined;
  /** The verdict is about what stands there now. */
  readonly current: boolean;
}

export function useVerdict(value: string, delay: number): Verdict {
  const trimmed = value.trim();
  const [debounced] = useDebouncedValue(trimmed, delay);
  const asked = delay === 0 ? trimmed : debounced;
  const check = useQuery({ ...checkPoint(asked), enabled: asked !== "", placeholderData: (previous) => previous });
  const current = asked === trimmed && !check.isPlaceholderData;
  const verdict = trimmed === "" ? undefined : check.data;
  return {
    spellings: verdict?.spellings,
    error: current ? verdict?.error : undefined,
    failed: check.error === null ? undefined : asProblem(check.error).message,
    current,
  };
}

const none: readonly Form[] = [];

/** The steps that may stand behind these; undefined while that is not known, none where these are wrong already. */
export function useForms(before: readonly Step[]): readonly Form[] | undefined {
  // No step is called `?`: the hub answers with what may stand in its place.
  const asked = before.length === 0 ? "?" : `${spell(before)} > ?`;
  const { data } = useQuery(checkPoint(asked));
  return useMemo(() => {
    if (data === undefined) {
      return undefined;
    }
    return data.error?.step === before.length ? readForms(data.error.allowed) : none;
  }, [data, before.length]);
}
