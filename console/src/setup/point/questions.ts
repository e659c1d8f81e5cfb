// What the point editor asks: points of a message, what a point selects in it, exchanges seen recently.

import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, body } from "../../api/client";
import { ApiProblem } from "../../api/problem";
import type { components } from "../../api/schema.gen";
import { usualRequest, usualResponse } from "./sample";

type Schemas = components["schemas"];

export type Messages = Schemas["CapturedMessages"];
export type Selection = Schemas["PointSelection"];
export type PointValue = Schemas["PointValue"];
export type ListedPoint = Schemas["PointOfExchange"];
export type Preview = Schemas["PointPreview"];
export type RecentSummary = Schemas["RecentExchangeSummary"];

/** The message that points are tried out on. */
export type Message =
  | { readonly kind: "sample"; readonly key: string; readonly request: string; readonly response: string }
  | { readonly kind: "har"; readonly key: string; readonly text: string }
  | { readonly kind: "recent"; readonly key: string; readonly id: string; readonly title: string };

/** Captured things are not kept longer than they are looked at. */
const forgetAfter = 30_000;

const usual: Message = { kind: "sample", key: "usual", request: usualRequest, response: usualResponse };

/** One message for all points, chosen once; forgotten with everything else at signing out. */
export function useMessage(): readonly [Message, (message: Message) => void] {
  const queries = useQueryClient();
  const queryKey = ["point", "message"];
  const { data } = useQuery({ queryKey, queryFn: () => usual, initialData: usual, staleTime: Number.POSITIVE_INFINITY, gcTime: Number.POSITIVE_INFINITY });
  return [data, (message) => queries.setQueryData<Message>(queryKey, message)];
}

/** The message as a request names it. */
function asked(message: Message): { exchange_id: string } | { sample: Schemas["SampleInput"] } {
  switch (message.kind) {
    case "recent":
      return { exchange_id: message.id };
    case "har":
      return { sample: { har_entry: readEntry(message.text) } };
    case "sample": {
      const { request, response } = message;
      return { sample: { request: request.trim() === "" ? null : request, response: response.trim() === "" ? null : response } };
    }
  }
}

/** An entry of an HTTP Archive, or the first one of a whole archive. */
function readEntry(text: string): Record<string, never> {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw notAnEntry("is not JSON");
  }
  if (isObject(read) && isObject(read["log"]) && Array.isArray(read["log"]["entries"])) {
    const entries: readonly unknown[] = read["log"]["entries"];
    read = entries[0];
  }
  if (!isObject(read)) {
    throw notAnEntry("holds no entry: expected an element of log.entries");
  }
  return read as Record<string, never>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notAnEntry(reason: string): ApiProblem {
  return new ApiProblem(422, "A field cannot be accepted", reason, [{ field: "sample.har_entry", reason }]);
}

export function listPoints(message: Message) {
  return queryOptions({
    queryKey: ["point", "list", message.key],
    queryFn: () => body(api.POST("/api/v1/points/list", { body: asked(message) })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: forgetAfter,
  });
}

export function previewPoint(message: Message, point: string) {
  return queryOptions({
    queryKey: ["point", "preview", message.key, point],
    queryFn: () => body(api.POST("/api/v1/points/preview", { body: { point, ...asked(message) } })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: forgetAfter,
  });
}

/** The messages of an exchange seen recently; those of a sample come with its points. */
export function recentMessages(message: Message) {
  const id = message.kind === "recent" ? message.id : "";
  return queryOptions({
    queryKey: ["point", "recent", id],
    queryFn: () => body(api.GET("/api/v1/recent-exchanges/{exchange_id}", { params: { path: { exchange_id: id } } })),
    enabled: id !== "",
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: forgetAfter,
  });
}

export const recentExchanges = queryOptions({
  queryKey: ["point", "recent exchanges"],
  queryFn: () => body(api.GET("/api/v1/recent-exchanges")),
  gcTime: forgetAfter,
});

export const recentSettings = queryOptions({
  queryKey: ["point", "recent settings"],
  queryFn: () => body(api.GET("/api/v1/recent-exchanges/settings")),
});

export function keepRecent(on: boolean) {
  return body(api.PUT("/api/v1/recent-exchanges/settings", { body: { on } }));
}
