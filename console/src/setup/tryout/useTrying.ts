// One try-out at a time: asked, cancelled, answered. What was answered stays while the pages of Setup are walked, in
// memory only, and goes at signing out with everything else.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { api, body } from "../../api/client";
import { asProblem } from "../../api/problem";
import { recentExchanges } from "../point/questions";
import type { Asked, Policy, Tried } from "./compare";
import type { Recording } from "./useRecording";

export type Source = { readonly kind: "recent" } | { readonly kind: "har"; readonly recording: Recording };

export interface Answered {
  readonly asked: Asked;
  readonly tried: Tried;
  /** The recording's file name; undefined for recent exchanges. */
  readonly file: string | undefined;
}

export type Run =
  | { readonly state: "idle" }
  | { readonly state: "running"; readonly source: Source }
  | { readonly state: "failed"; readonly error: unknown; readonly source: Source };

export interface Trying {
  readonly run: Run;
  readonly answered: Answered | undefined;
  readonly start: (policy: Policy, source: Source) => void;
  readonly cancel: () => void;
}

/** Something that outlives the page, in memory only. */
export function useKept<T>(name: string, initial: T): readonly [T, (value: T) => void] {
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: ["try out", name],
    queryFn: () => initial,
    initialData: initial,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    // What is kept is a state, not an answer: it is neither compared piece by piece nor copied.
    structuralSharing: false,
  });
  const keep = useCallback((value: T) => queries.setQueryData<T>(["try out", name], () => value), [queries, name]);
  return [data === undefined ? initial : data, keep];
}

export function textOf(policy: Policy): string {
  return JSON.stringify(policy);
}

export function nameOf(source: Source): string {
  return source.kind === "recent" ? "recent" : source.recording.key;
}

export function useTrying(): Trying {
  const [run, setRun] = useState<Run>({ state: "idle" });
  const [answered, setAnswered] = useKept<Answered | null>("answer", null);
  const queries = useQueryClient();
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(
    () => () => {
      running.current?.abort();
    },
    [],
  );
  const start = useCallback(
    (policy: Policy, source: Source): void => {
      running.current?.abort();
      const here = new AbortController();
      running.current = here;
      setRun({ state: "running", source });
      ask(policy, source, here.signal).then(
        (tried) => {
          if (running.current === here && !here.signal.aborted) {
            const asked: Asked = { draft: textOf(policy), against: tried.against, source: nameOf(source) };
            setAnswered({ asked, tried, file: source.kind === "har" ? source.recording.name : undefined });
            setRun({ state: "idle" });
          }
        },
        (error: unknown) => {
          if (running.current === here && !here.signal.aborted) {
            setRun({ state: "failed", error, source });
            if (asProblem(error).status === 409) {
              // Somebody switched recent exchanges off meanwhile: the page has to say so.
              void queries.invalidateQueries({ queryKey: recentExchanges.queryKey });
            }
          }
        },
      );
    },
    [queries, setAnswered],
  );
  const cancel = useCallback((): void => {
    running.current?.abort();
    setRun({ state: "idle" });
  }, []);
  return { run, answered: answered ?? undefined, start, cancel };
}

function ask(policy: Policy, source: Source, signal: AbortSignal): Promise<Tried> {
  // The file goes as text, as it is: the hub reads damaged ones too. The document can only say that an object may stand here.
  const har = source.kind === "har" ? (source.recording.text as unknown as Record<string, never>) : undefined;
  return body(api.POST("/api/v1/policy/try", { body: har === undefined ? { policy } : { policy, har }, signal }));
}
