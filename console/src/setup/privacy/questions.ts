// What the privacy page asks: what would leave under the draft, and what did leave.

import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import type { components } from "../../api/schema.gen";
import type { PolicyDocument } from "../../api/types";

type Schemas = components["schemas"];

export type Leaves = Schemas["PolicyLeaves"];
export type LeavingField = Schemas["LeavingField"];
export type LeavingChange = Schemas["LeavingChange"];
export type Ledger = Schemas["ExportedFields"];
export type ExportedField = Schemas["ExportedField"];

/** Shapes of captured values are not kept longer than they are looked at. */
const forgetAfter = 30_000;

/** Each look at exchanges is in the audit log, so it is not asked again by itself. */
export function wouldLeave(policy: PolicyDocument, isOn: boolean | undefined) {
  return queryOptions({
    // Once exchanges are kept, or no more, the same draft has another answer.
    queryKey: ["exports", "draft", policy, isOn],
    enabled: isOn !== undefined,
    queryFn: ({ signal }) => body(api.POST("/api/v1/policy/exports", { body: { policy }, signal })),
    staleTime: 60_000,
    gcTime: forgetAfter,
    placeholderData: keepPreviousData,
  });
}

export type LedgerRange = "7d" | "30d" | "all";

export function ledger(range: LedgerRange) {
  return queryOptions({
    queryKey: ["exports", "ledger", range],
    queryFn: () => body(api.GET("/api/v1/exports", { params: { query: { last: range } } })),
    placeholderData: keepPreviousData,
    refetchInterval: 30_000,
  });
}
