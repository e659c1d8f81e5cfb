// The hub's answers, computed from made-up exchanges. Only as exact as working on the console needs.

import type { components } from "../src/api/schema.gen.ts";
import type { Exchange } from "./exchanges.ts";

type Schemas = components["schemas"];

export interface Asked {
  readonly from: number;
  readonly to: number;
  readonly held: readonly Exchange[];
}

const lengths: Readonly<Record<string, number>> = { "15m": 900_000, "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 };

const fields = new Map<string, (exchange: Exchange) => string | null>([
  ["application", (one) => one.application],
  ["host", (one) => one.host ?? null],
  ["ip", (one) => one.client_ip ?? null],
  ["method", (one) => one.method],
  ["status", (one) => (one.status === null || one.status === undefined ? null : String(one.status))],
  ["user", (one) => one.user ?? null],
  ["role", (one) => one.role ?? null],
  ["endpoint", (one) => one.endpoint],
  ["key", (one) => one.session_key],
  ["key_kind", (one) => one.session_key_kind],
  ["outcome", (one) => one.outcome],
  ["session", (one) => one.session_id],
  ["request", (one) => one.exchange_id],
]);

export function ask(all: readonly Exchange[], query: URLSearchParams, now: number): Asked {
  const last = query.get("last");
  const [oldest] = all;
  const from =
    query.get("from") !== null
      ? Date.parse(query.get("from") ?? "")
      : last === "all"
        ? Date.parse(oldest?.ts ?? "")
        : now - (lengths[last ?? "24h"] ?? 86_400_000);
  const to = query.get("to") === null ? now : Date.parse(query.get("to") ?? "");
  const held = all.filter((one) => {
    const at = Date.parse(one.ts);
    return at >= from && at < to && passes(one, query);
  });
  return { from, to, held };
}

function passes(one: Exchange, query: URLSearchParams): boolean {
  for (const [name, read] of fields) {
    const wanted = query.getAll(name);
    const value = read(one) ?? "";
    const matches = (text: string): boolean =>
      name === "endpoint"
        ? value.toLowerCase().includes(text.toLowerCase()) || one.path.includes(text)
        : name === "status"
          ? text === value || (text === "none" && value === "") || (text.endsWith("xx") && value.startsWith(text.slice(0, 1)))
          : text === value;
    const any = wanted.filter((text) => !text.startsWith("!"));
    if ((any.length > 0 && !any.some(matches)) || wanted.some((text) => text.startsWith("!") && matches(text.slice(1)))) {
      return false;
    }
  }
  const text = query.get("q")?.toLowerCase() ?? "";
  return text === "" || [one.user, one.host, one.path, one.user_agent].some((held) => held?.toLowerCase().includes(text));
}

export function count(values: readonly (string | null)[]): Schemas["Count"][] {
  const held = new Map<string | null, number>();
  for (const value of values) {
    held.set(value, (held.get(value) ?? 0) + 1);
  }
  return [...held].map(([value, exchanges]) => ({ value, exchanges })).toSorted((a, b) => b.exchanges - a.exchanges);
}

export function facet(asked: Asked, field: string, limit: number): Schemas["Facet"] {
  const read = fields.get(field) ?? ((): null => null);
  return { field: field as Schemas["FacetName"], values: count(asked.held.map((one) => read(one))).slice(0, limit) };
}

export function bin(index: number, held: readonly Exchange[]): Schemas["ThreadBin"] {
  const of = (low: number): number => held.filter(({ status }) => (status ?? 0) >= low && (status ?? 0) < low + 100).length;
  return {
    index,
    ok: of(200),
    redirect: of(300),
    client_error: of(400),
    server_error: of(500),
    no_response: held.filter(({ status }) => status === null).length,
  };
}

function thread(held: readonly Exchange[], bins: number): Schemas["Thread"] {
  const from = Date.parse(held[0]?.ts ?? "");
  const to = Math.max(Date.parse(held.at(-1)?.ts ?? "") + 1, from + 1000);
  const binned = new Map<number, Exchange[]>();
  for (const one of held) {
    const at = Math.min(Math.floor(((Date.parse(one.ts) - from) / (to - from)) * bins), bins - 1);
    binned.set(at, [...(binned.get(at) ?? []), one]);
  }
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    bins_total: bins,
    bins: [...binned].map(([index, inside]) => bin(index, inside)),
  };
}

export function part(held: readonly Exchange[], bins: number): Schemas["SessionPart"] {
  const last = held.at(-1) as Exchange;
  const some = (read: (one: Exchange) => string | null | undefined): Schemas["Count"][] => count(held.map((one) => read(one) ?? null));
  const [ips, hosts, endpoints] = [some((one) => one.client_ip), some((one) => one.host), some((one) => one.endpoint)];
  return {
    session_id: last.session_id,
    day: last.ts.slice(0, 10),
    first: held[0]?.ts ?? last.ts,
    last: last.ts,
    requests: held.length,
    attacks: 0,
    blocked: 0,
    errors: held.filter((one) => (one.status ?? 0) >= 400).length,
    ips: ips.slice(0, 5),
    ip_count: ips.length,
    hosts: hosts.slice(0, 5),
    host_count: hosts.length,
    applications: some((one) => one.application),
    user: last.user ?? null,
    user_hashed: false,
    role: last.role ?? null,
    role_hashed: false,
    endpoints: endpoints.slice(0, 5),
    endpoint_count: endpoints.length,
    key: last.session_key,
    key_kind: last.session_key_kind,
    key_value: last.session_value,
    key_value_hashed: last.session_value_hashed,
    user_agent: last.user_agent ?? null,
    thread: bins === 0 ? null : thread(held, bins),
  };
}

function grouped(held: readonly Exchange[], by: (one: Exchange) => string): readonly (readonly Exchange[])[] {
  const groups = new Map<string, Exchange[]>();
  for (const one of held) {
    const key = by(one);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [one]);
    } else {
      group.push(one);
    }
  }
  return [...groups.values()];
}

export function parts(held: readonly Exchange[], bins: number): Schemas["SessionPart"][] {
  return grouped(held, (one) => `${one.session_id} ${one.ts.slice(0, 10)}`)
    .map((group) => part(group, bins))
    .toSorted((a, b) => b.last.localeCompare(a.last));
}

export function range(asked: Asked): Schemas["Range"] {
  return { from: new Date(asked.from).toISOString(), to: new Date(asked.to).toISOString() };
}

export function summary(id: string, asked: Asked, bins: number): Schemas["SessionSummary"] | undefined {
  const held = asked.held.filter((one) => one.session_id === id);
  if (held.length === 0) {
    return undefined;
  }
  const inside = { ...asked, held };
  const idle = 30 * 60_000;
  return {
    session_id: id,
    range: range(asked),
    idle_minutes: 30,
    whole: part(held, bins),
    parts: parts(held, 0),
    facets: ["application", "host", "ip", "method", "status", "endpoint", "key", "outcome"].map((field) => facet(inside, field, 50)),
    users: count(held.map((one) => one.user ?? null)).filter((one) => one.value !== null),
    roles: count(held.map((one) => one.role ?? null)).filter((one) => one.value !== null),
    links: held
      .filter((one) => one.request_session_id !== null && one.request_session_id !== undefined)
      .slice(0, 3)
      .map((one) => ({ from: one.request_session_id ?? "", to: id, exchange_id: one.exchange_id, ts: one.ts, exchanges: 1, from_fallback: true })),
    gaps: held.slice(1).flatMap((one, at) => {
      const before = held[at]?.ts ?? one.ts;
      return Date.parse(one.ts) - Date.parse(before) > idle ? [{ from: before, to: one.ts }] : [];
    }),
  };
}

export function histogram(asked: Asked, bars: number): Schemas["Histogram"] {
  const step = (asked.to - asked.from) / bars;
  return {
    range: range(asked),
    bars: Array.from({ length: bars }, (_, index) => {
      const from = asked.from + index * step;
      const held = asked.held.filter((one) => Date.parse(one.ts) >= from && Date.parse(one.ts) < from + step);
      return { from: new Date(from).toISOString(), counts: bin(index, held), sessions: new Set(held.map((one) => one.session_id)).size };
    }),
  };
}
